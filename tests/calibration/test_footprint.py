import pytest

from qdrant_embed.calibration.footprint import measure_footprint
from qdrant_embed.errors import StoreError


def test_a_process_that_fails_says_why(tmp_path):
    with pytest.raises(StoreError, match=r"failed: .*no collection .*nothing"):
        measure_footprint(tmp_path, "nothing", {"dense": [1.0]}, ("dense",))
