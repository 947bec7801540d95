"""The model and the queue before it: one generation at a time, in one worker thread."""

import asyncio
import json
import math
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from .asking import ApiError, Ask, read_messages, read_number, read_options, read_tools


class Engine:
    """The model, and a queue before it: one generation runs, `waiting` more may wait, others hear "busy"."""

    def __init__(self, model, tokenizer, name, waiting):
        self.model, self.tokenizer, self.name, self.waiting = model, tokenizer, name, waiting
        self.created, self.last_s = int(time.time()), 1.0
        self.places = threading.BoundedSemaphore(1 + waiting)
        self.worker = ThreadPoolExecutor(1, thread_name_prefix="course-model")
        self.stopping = threading.Event()
        self.context = getattr(model.config, "max_position_embeddings", None) or 2**31

    def check_name(self, name):
        if name != self.name:
            message = f"There is no model {name!a:.60} here: this server offers {self.name}."
            raise ApiError(404, message, "model", "model_not_found")

    def ask(self, body, chat):
        """Check a request and tokenize its prompt.

        Errors:  ApiError 400 or 404, one clear sentence
        """
        self.check_name(body.get("model"))
        options, tools, start = read_options(body, 256 if chat else 16), None, ""
        if chat:
            tools, start = read_tools(body)
            prompts = [self._chat_prompt(read_messages(body), tools, start)]
        else:
            prompts = self._plain_prompts(body.get("prompt"))
        for ids in prompts:
            if len(ids) >= self.context:
                most = self.context - 1
                message = f"The prompt has {len(ids)} tokens and at most {most} are allowed: shorten it."
                raise ApiError(400, message, "messages" if chat else "prompt", "context_length_exceeded")
        prompts = [ids for ids in prompts for _ in range(read_number(body, "n", 1))]
        usage = body.get("stream_options") or {}
        return Ask(
            chat,
            prompts,
            start,
            bool(tools),
            options,
            bool(body.get("stream")),
            isinstance(usage, dict) and bool(usage.get("include_usage")),
        )

    def _chat_prompt(self, messages, tools, start):
        from ..models import decoding

        if not self.tokenizer.chat_template:
            raise ApiError(400, f"{self.name} has no chat template: ask it through /v1/completions.", "model")
        try:
            ids = decoding.encode_chat(self.tokenizer, messages, tools)
        except Exception as error:  # a template may refuse a conversation in many ways
            raise ApiError(400, f"The chat template refuses these messages ({error!s:.80}).", "messages") from error
        return ids + (self.tokenizer(start, add_special_tokens=False)["input_ids"] if start else [])

    def _plain_prompts(self, prompt):
        prompts = [prompt] if isinstance(prompt, str) else prompt
        if isinstance(prompts, list) and prompts and all(type(item) is int for item in prompts):
            prompts = [prompts]
        if not isinstance(prompts, list) or not 1 <= len(prompts) <= 16:
            raise ApiError(400, "prompt must be a string, or a list of at most 16 strings.", "prompt")
        result = []
        for item in prompts:
            try:
                ids = self.tokenizer(item)["input_ids"] if isinstance(item, str) else item
            except TypeError:  # half of a character pair is not text
                ids = None
            good = isinstance(ids, list) and ids and all(type(i) is int for i in ids)
            if not good or not all(0 <= i < self.model.config.vocab_size for i in ids):
                raise ApiError(400, "prompt must be text, or token ids of this model, and not empty.", "prompt")
            result.append(ids)
        return result

    def start(self, ask):
        """Put a request into the queue. Returns its Job.

        Errors:  ApiError 429 with the seconds after which to ask again
        """
        if not self.places.acquire(blocking=False):
            retry_s = min(20, max(1, math.ceil(self.last_s)))
            raise ApiError(429, f"The server is busy: ask again in {retry_s} s.", None, "busy", retry_s)
        job = Job(ask, asyncio.get_running_loop(), self.stopping)
        try:
            job.future = self.worker.submit(self._generate, job)
        except RuntimeError as error:
            self.places.release()
            raise ApiError(503, "The server is stopping.") from error
        job.future.add_done_callback(lambda _: self._end(job))
        return job

    def _end(self, job):
        """Give the place back, then end the answer: also that of a job that never left the queue."""
        self.places.release()
        job.put(None)

    def _generate(self, job):
        from ..models import stream

        started = time.monotonic()
        try:
            for index, ids in enumerate(job.ask.prompts):
                options = dict(job.ask.options, seed=job.ask.options["seed"] + index)
                pieces, reply = stream(self.model, self.tokenizer, ids, **options), None
                while reply is None:
                    if job.stopped():
                        pieces.close()
                        return
                    try:
                        job.put((index, next(pieces), None))
                    except StopIteration as end:
                        reply = end.value
                job.put((index, "", reply))
        except Exception as error:
            job.put(error)
        finally:
            self.last_s = time.monotonic() - started


class Job:
    """One request in the queue. `pieces` yields (index, text, reply); a reply ends its choice."""

    def __init__(self, ask, loop, stopping):
        self.ask, self.loop, self.stopping = ask, loop, stopping
        self.queue, self.gone, self.future = asyncio.Queue(), threading.Event(), None
        self.id, self.created = secrets.token_hex(12), int(time.time())
        self.tokens = 0

    def put(self, item):
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.queue.put_nowait, item)

    def stopped(self):
        return self.gone.is_set() or self.stopping.is_set()

    def stop(self):
        """Stop the generation, or leave the queue."""
        self.gone.set()
        self.future.cancel()

    async def watch(self, request):
        """Stop when the client goes away."""
        while not self.future.done():
            if await request.is_disconnected():
                return self.stop()
            await asyncio.sleep(0.1)

    async def pieces(self):
        try:
            while (item := await self.queue.get()) is not None:
                if isinstance(item, Exception):
                    raise ApiError(500, f"The model failed ({type(item).__name__}: {item!s:.120}).")
                self.tokens += len(item[2].tokens) if item[2] else 0
                yield item
            if self.stopped():
                raise ApiError(503, "The generation was stopped.")
        finally:
            self.stop()

    def usage(self):
        given = sum(map(len, self.ask.prompts))
        return {"prompt_tokens": given, "completion_tokens": self.tokens, "total_tokens": given + self.tokens}

    def calls(self, index, text):
        """(content, tool calls in OpenAI's form) of a reply; a call with broken JSON stays text."""
        if not self.ask.tools or "<tool_call>" not in text:
            return text, []
        from ..models.chat import parse_calls

        content, calls, _ = parse_calls(text, f"{self.id}:{index}")
        return content if calls else text, [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": json.dumps(call["args"], ensure_ascii=False)},
            }
            for call in calls
        ]
