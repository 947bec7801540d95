"""Our sampling filters equal the transformers processors to 1e-6 on 200 random inputs, ties and limits included."""

import pytest
import torch
from transformers import RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from course_utils import sampling
from course_utils.settings import CourseError


def inputs(count=200):
    generator = torch.Generator().manual_seed(0)
    for index in range(count):
        size = [1, 2, 5, 50, 4096][index % 5]
        logits = torch.randn(1, size, generator=generator) * (1 + index % 4)
        if index % 3 == 0:
            logits = logits.round()  # ties
        yield index, logits


def theirs(warper, logits):
    return torch.softmax(warper(torch.zeros(1, 0, dtype=torch.long), logits.clone()), -1)


def test_temperature_top_k_and_top_p_equal_transformers():
    for index, logits in inputs():
        temperature, k, p = (
            [0.1, 0.7, 1.0, 2.0][index % 4],
            [1, 3, 40, 9999][index % 4],
            [0.01, 0.5, 0.9, 1.0][index % 4],
        )
        probs = sampling.softmax(logits)
        assert torch.allclose(
            sampling.softmax(logits, temperature), theirs(TemperatureLogitsWarper(temperature), logits), atol=1e-6
        )
        assert torch.allclose(sampling.top_k(probs, k), theirs(TopKLogitsWarper(k), logits), atol=1e-6)
        if p < 1:
            ours, expected = sampling.top_p(probs, p), theirs(TopPLogitsWarper(p), logits)
            if index % 3 == 0:  # among tokens of equal probability the library may keep another one
                ours, expected = ours.sort().values, expected.sort().values
            assert torch.allclose(ours, expected, atol=1e-6), (index, p)
        else:
            assert torch.allclose(sampling.top_p(probs, p), probs, atol=1e-6)


def test_repetition_penalty_equals_transformers():
    for index, logits in inputs():
        seen = torch.randint(0, logits.shape[-1], (1, index % 7), generator=torch.Generator().manual_seed(index))
        penalty = [0.5, 1.0, 1.3, 5.0][index % 4]
        expected = RepetitionPenaltyLogitsProcessor(penalty)(seen, logits.clone())[0] if index % 7 else logits[0]
        assert torch.allclose(sampling.repetition_penalty(logits[0], seen[0].tolist(), penalty), expected, atol=1e-6)


def test_the_documented_example():
    assert torch.allclose(sampling.top_p([0.5, 0.3, 0.2], 0.6), torch.tensor([0.625, 0.375, 0.0]))


def test_draw_follows_the_probabilities():
    probs = torch.tensor([[0.1, 0.0, 0.6, 0.3]]).expand(10_000, 4)
    drawn = sampling.draw(probs, torch.rand(10_000, generator=torch.Generator().manual_seed(0)))
    shares = torch.bincount(drawn, minlength=4) / 10_000
    assert torch.allclose(shares, probs[0], atol=0.02) and shares[1] == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: sampling.softmax([1.0], 0),
        lambda: sampling.top_k([1.0], 0),
        lambda: sampling.top_p([1.0], 0),
        lambda: sampling.top_p([1.0], 1.5),
        lambda: sampling.repetition_penalty([1.0], [], 0),
    ],
)
def test_bad_settings_get_one_sentence(call):
    with pytest.raises(CourseError, match="must"):
        call()
