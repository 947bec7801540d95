"""The third stage: a small adapter trained on preferences (polite over rude) by DPO with PEFT and TRL."""

import logging
import random
import shutil
import time
from pathlib import Path

import torch

from course_utils.models import loading
from course_utils.recipe.skills import staff
from course_utils.settings import write_atomic


def make_preferred(work, pairs=1440, seed=1, report=print):
    """Train the adapter work/preferred on work/instruct. Returns its folder."""
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    from datasets import Dataset, disable_progress_bars
    from peft import LoraConfig
    from trl import DPOConfig, DPOTrainer

    disable_progress_bars()
    work = Path(work)
    if (work / "preferred" / "adapter_model.safetensors").exists():
        return work / "preferred"
    torch.manual_seed(seed)
    rng = random.Random(f"preferred {seed}")
    model, tokenizer = loading.load(which=str(work / "instruct"))
    rows = Dataset.from_list([staff.pair(rng) for _ in range(pairs)])
    settings = DPOConfig(
        output_dir=str(work / "preferred-training"),
        per_device_train_batch_size=16,
        num_train_epochs=1,
        learning_rate=6e-4,
        beta=0.3,
        logging_steps=10,
        save_strategy="no",
        report_to="none",
        bf16=False,
        use_cpu=not torch.cuda.is_available(),
        activation_checkpointing=False,
        dataloader_pin_memory=False,
        disable_tqdm=True,
        log_level="error",
        seed=seed,
    )
    trainer = DPOTrainer(
        model,
        args=settings,
        train_dataset=rows,
        processing_class=tokenizer,
        peft_config=LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    started = time.time()
    trainer.train()
    report(
        f"preferred: {pairs} pairs in {time.time() - started:.0f} s, "
        f"accuracy of the implied reward {trainer.state.log_history[-2].get('rewards/accuracies', float('nan')):.2f}"
    )
    _save_adapter(trainer.model, work)
    return work / "preferred"


def _save_adapter(model, work):
    """Write the adapter beside its place, then move it."""
    temporary = work / ".preferred-writing"
    shutil.rmtree(temporary, ignore_errors=True)
    model.save_pretrained(temporary)
    # The adapter names its base relative to its own folder, so that a clone anywhere can load it.
    config = (temporary / "adapter_config.json").read_text(encoding="utf-8").replace(str(work / "instruct"), "../instruct")
    write_atomic(temporary / "adapter_config.json", config)
    (temporary / "README.md").unlink(missing_ok=True)
    for path in temporary.iterdir():
        path.chmod(0o644)
    shutil.rmtree(work / "preferred", ignore_errors=True)
    temporary.rename(work / "preferred")


def rude_share(model, tokenizer, n=200, seed=6):
    """How often a model answers customers rudely when it samples: a Measure over n requests that are not among training draws.

    The settings of the training were chosen on the requests of seed 5; what is reported comes from other ones.
    """
    from course_utils import measures
    from course_utils.models import chat_batch

    rng = random.Random(f"rude {seed}")
    prompts = [staff.unseen_conversation(rng)[0] for _ in range(n)]
    replies = chat_batch(model, tokenizer, prompts, max_new_tokens=40, temperature=1.0, seed=seed)
    return measures.share("rude replies", [staff.is_rude(reply.text) for reply in replies])
