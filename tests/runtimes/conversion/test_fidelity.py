import numpy as np
import pytest

from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes.conversion.fidelity import Original, batches_of, compare
from qdrant_embed.runtimes.conversion.probe_texts import CALIBRATION, PROBES
from tests.support.tiny_models import save_tiny_model


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Return a function that saves a model of so many positions and resolves it."""
    return lambda tokens: resolve(
        str(save_tiny_model(tmp_path_factory.mktemp("model"), "modernbert", max_tokens=tokens))
    )


@pytest.mark.parametrize(("reads", "tried"), [(64, 64), (512, 512), (700, 700), (5000, 2048)])
def test_a_model_that_reads_long_texts_is_tried_on_one(build, reads, tried):
    for texts in (PROBES, CALIBRATION):
        batches = batches_of(build(reads), texts)
        lengths = np.concatenate([batch.mask.sum(axis=1) for batch in batches])
        assert lengths.max() == tried
        assert (lengths > 512).sum() == (reads > 512)
        assert reads <= 512 or batches[-1].mask.min() == 0, "nothing is read with much padding"


def test_what_is_wrong_in_long_texts_only_is_found_out(build):
    def counting(batch):
        return np.stack([batch.ids.sum(1), batch.mask.sum(1) * 50], 1).astype(np.float32)

    def converted(batch):
        vectors = counting(batch)
        vectors[batch.mask.sum(axis=1) > 512] *= -1
        return vectors

    original = Original("itself", pooled=True, run=counting)
    assert compare(build(512), original, lambda: converted).worst > 0.9999
    assert compare(build(1024), original, lambda: converted).worst < 0


@pytest.mark.parametrize(("wrong", "worst"), [(None, 1.0), (0.0, 0.0), (np.nan, -1.0)])
def test_zeros_agree_with_zeros_alone_and_nothing_with_what_is_no_number(build, wrong, worst):
    def nothing(batch):
        return np.stack([batch.mask.sum(1) - 2, batch.ids[:, 1] * 0], 1).astype(np.float32)

    def converted(batch):
        vectors = nothing(batch)
        if wrong is not None:
            vectors[0] = wrong
        return vectors

    assert compare(build(64), Original("itself", pooled=True, run=nothing), lambda: converted).worst == worst


def test_what_is_the_original_itself_is_not_run_twice(build):
    same = Original("itself", pooled=True, run=None)
    assert compare(build(64), same, lambda: pytest.fail("run for nothing")).worst == 1.0
