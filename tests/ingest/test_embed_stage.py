"""What is learned from the first vectors is in doubt where these were few, and the report says so."""

import pytest

from tests.store.test_collection_codec import documents


@pytest.mark.parametrize("compression", ["itq", "bits+center", "uint8"])
def test_a_report_says_that_few_vectors_were_learned_from_and_what_to_type(collection, make_collection, compression):
    at = collection.engine.client if "memory" in repr(collection.engine) else None
    docs = make_collection("few", at=at, compression=compression)
    report = docs.ingest(documents(30))
    (warning,) = report.warnings
    assert "from the first 30 vectors; 256 or more settle it" in warning
    assert f"recompress('{docs.parts.codec.compression}', refit=True)" in warning
    assert warning in str(report)
    # It is no better once more have come: what was learned stays as it is.
    assert docs.ingest(documents(270)).warnings == report.warnings


@pytest.mark.parametrize("compression", ["itq", "rotate", "float32"])
def test_no_report_warns_of_what_was_learned_from_many_or_from_none(make_collection, compression):
    docs = make_collection(compression=compression)
    assert docs.ingest(documents(0)).warnings == ()
    assert docs.ingest(documents(280)).warnings == ()
