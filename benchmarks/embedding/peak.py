"""What the machine multiplies at most: large matrix products in each precision, on every core."""

import statistics
import time

ROWS, INNER, OUTER, ROUNDS = 2048, 1536, 1536, 15


def gflops() -> dict[str, float]:
    """Return precision → GFLOP/s (for int8, GOP/s), the median of some products that fit the cache and the model."""
    import torch

    found = {"float32": measured(torch.float32)}
    flags = processor_flags()
    if "avx512_bf16" in flags or "amx_bf16" in flags:
        found["bf16"] = measured(torch.bfloat16)
    if "vnni" in flags:
        found["int8"] = measured_int8()
    return found


def processor_flags() -> str:
    """Return what the processor says it can do."""
    try:
        with open("/proc/cpuinfo") as lines:  # noqa: PTH123
            return next((line for line in lines if line.startswith("flags")), "")
    except OSError:
        return ""


def measured(dtype) -> float:
    """Return GFLOP/s of products in a precision."""
    import torch

    one, other = torch.randn(ROWS, INNER).to(dtype), torch.randn(INNER, OUTER).to(dtype)
    return rate(lambda: one @ other)


def measured_int8() -> float:
    """Return GOP/s of products of int8 with int8."""
    import torch

    one = torch.randint(-127, 127, (ROWS, INNER), dtype=torch.int8)
    other = torch.randint(-127, 127, (INNER, OUTER), dtype=torch.int8)
    return rate(lambda: torch._int_mm(one, other))


def rate(product) -> float:
    """Return the median rate of some rounds."""
    product()
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        product()
        seconds.append(time.perf_counter() - began)
    return round(2 * ROWS * INNER * OUTER / statistics.median(seconds) / 1e9, 1)


def mflop_per_token(lengths: list[int]) -> float:
    """Return what MiniLM multiplies for a token, in MFLOP: products with weights, and attention over its own text."""
    layers, width, hidden = 6, 384, 1536
    weights = 2 * layers * (4 * width * width + 2 * width * hidden)
    seen = sum(length * length for length in lengths) / sum(lengths)
    return round((weights + layers * 4 * seen * width) / 1e6, 1)
