from qdrant_embed.calibration.selection import Constraints, pareto_front
from qdrant_embed.calibration.trial import Trial
from qdrant_embed.compression import Compression

HELD = Compression()


def trial(setting, recall, *, ram=48.0, disk=1586.0, p95=5.0, spread=0.0):
    return Trial(
        setting=setting, recall=recall, low=recall - spread, high=min(1.0, recall + spread), ram=ram, disk=disk,
        p50=p95 / 2, p95=p95, build=1.0, resident=True, found=(),
    )  # fmt: skip


def chosen(*trials, **constraints):
    return [one.setting for one in Constraints(held=HELD, **{"target": 0.99, **constraints}).in_order(trials)]


def test_a_lucky_mean_is_not_enough():
    assert chosen(trial("binary+rescore8", 0.992, spread=0.004), trial("float32", 1.0, ram=1536)) == ["float32"]


def test_noise_does_not_cost_a_copy():
    turned = trial("center+rotate+binary+query8+rescore16", 0.999, p95=4.97)
    assert chosen(turned, trial("binary+query8+rescore16", 1.0, p95=5.15, disk=1587))[0] == "binary+query8+rescore16"
    held = Constraints(held=Compression.parse("center+rotate"), target=0.99)
    plain = trial("binary+query8+rescore16", 1.0)
    assert held.in_order([plain, turned])[0] is turned


def test_bytes_come_first_and_both_kinds_are_bounded():
    trials = [
        trial("binary+rescore16", 1.0),
        trial("float16+binary+rescore16", 1.0, disk=816),
        trial("bits", 0.6, disk=48),
        trial("turbo8", 1.0, ram=388, disk=388),
    ]
    assert chosen(*trials) == ["float16+binary+rescore16", "binary+rescore16", "turbo8"]
    assert chosen(*trials, disk=400) == ["turbo8"]
    assert chosen(*trials, ram=47) == []


def test_of_equals_the_clearly_faster_and_then_the_one_that_rescores_least_is_taken():
    slow, quick, lazy = trial("int8+rescore8", 1.0, p95=9), trial("int8+rescore4", 1.0), trial("int8+rescore2", 1.0)
    assert chosen(slow, quick, lazy) == ["int8+rescore2", "int8+rescore4", "int8+rescore8"]
    assert chosen(trial("int8+rescore2", 1.0, p95=9), quick)[0] == "int8+rescore4"


def test_what_is_small_on_disk_is_on_the_front_too():
    bits, coded = trial("bits", 0.62, ram=112, disk=48), trial("binary+rescore16", 0.99)
    halved, beaten = trial("float16+binary+rescore16", 0.99, disk=816), trial("binary+rescore8", 0.98)
    exact = trial("float16", 1.0, ram=768, disk=768)
    assert pareto_front([coded, exact, bits, halved, beaten]) == (halved, bits, exact)
