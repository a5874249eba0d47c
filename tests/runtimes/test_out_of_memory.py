"""Lack of memory, however a library words it, costs a halved batch and no text."""

import numpy as np
import pytest

from qdrant_embed.errors import ModelError
from qdrant_embed.runtimes.out_of_memory import halved

ONNX = (
    "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned while running MatMul node. "
    "Failed to allocate memory for requested buffer of size 17179869184"
)
SAID = {
    "torch, processor": "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you "
    "tried to allocate 34359738368 bytes. Error code 12 (Cannot allocate memory)",
    "torch, CUDA": "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 23.64 GiB",
    "torch, Apple": "MPS backend out of memory (MPS allocated: 8.00 GB, other allocations: 1.00 GB)",
    "cuBLAS": "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "onnxruntime": ONNX,
    "OpenVINO": "Exception from src/inference/src/cpp/infer_request.cpp:223:\nFailed to allocate 8589934592 bytes of "
    "memory",
    "C++": "std::bad_alloc",
}


class LibraryError(Exception):
    """As onnxruntime's errors, which are no RuntimeErrors."""


@pytest.mark.parametrize("message", SAID.values(), ids=SAID)
def test_lack_of_memory_is_known_by_what_it_says(message):
    def run(items):
        if len(items) > 3:
            raise LibraryError(message)
        return list(items)

    assert [item for part in halved(run, list(range(20)), int) for item in part] == list(range(20))


@pytest.mark.parametrize(
    "message",
    [
        "mat1 and mat2 shapes cannot be multiplied",
        "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Unexpected input data type",
        "the memory of past times",
        "",
    ],
)
def test_other_faults_are_not(message):
    def run(items):
        raise LibraryError(message)

    with pytest.raises(LibraryError):
        halved(run, [1, 2], int)


def test_onnxruntimes_own_error():
    pytest.importorskip("onnxruntime")
    from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

    def run(items):
        if len(items) > 1:
            raise RuntimeException(ONNX)
        return items[0]

    assert halved(run, [1, 2, 3], int) == [1, 2, 3]
    assert not issubclass(RuntimeException, RuntimeError)


def test_a_single_text_that_does_not_fit_is_told_by_its_tokens():
    def run(items):
        raise LibraryError(ONNX)

    with pytest.raises(ModelError, match="memory does not suffice for 7 tokens"):
        halved(run, np.array([7]), int)
