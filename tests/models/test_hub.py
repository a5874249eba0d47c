"""What counts as a model in the hub's cache, and what is said where it is none. Nothing here asks the network."""

import json
import shutil

import pytest

from qdrant_embed.errors import ModelError
from qdrant_embed.models.hub import fetch, local_copy, missing_parts

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "someone/model"
TOKENIZER = ("config.json", "tokenizer.json", "tokenizer_config.json")
WITHOUT_DENSE = (*TOKENIZER, "modules.json", "model.safetensors", "1_Pooling/config.json")


@pytest.fixture
def cached(save_model, tmp_path, monkeypatch):
    """Return a function that puts files of a model into a hub's cache, as if they had come one by one."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    saved = save_model(dense=16)

    def put(wanted=None):
        snapshot = tmp_path / "models--someone--model" / "snapshots" / COMMIT
        for path in saved.rglob("*"):
            inside = path.relative_to(saved)
            if path.is_file() and (wanted is None or inside.as_posix() in wanted):
                (snapshot / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, snapshot / inside)
        return snapshot

    return put


@pytest.fixture
def online(monkeypatch):
    """Return a function that lets the hub answer a request for the whole by what it is given."""
    from huggingface_hub import snapshot_download

    asked = []

    def answer(by):
        def download(*args, local_files_only=False, **options):
            if local_files_only:
                return snapshot_download(*args, local_files_only=True, **options)
            asked.append(args)
            return str(by())

        monkeypatch.setattr("huggingface_hub.snapshot_download", download)
        return asked

    return answer


def test_a_whole_copy_is_taken_and_the_network_not_asked(cached, online):
    snapshot, asked = cached(), online(lambda: pytest.fail("the network was asked"))
    assert fetch(REPOSITORY, COMMIT) == snapshot
    assert not asked


@pytest.mark.parametrize("part", [TOKENIZER, WITHOUT_DENSE])
def test_a_part_is_completed_from_the_network(cached, online, part):
    cached(part)
    asked = online(cached)
    assert missing_parts(fetch(REPOSITORY, COMMIT)) == []
    assert len(asked) == 1


def test_a_transformer_whose_repository_was_never_listed_is_asked_for_its_modules(cached, online):
    cached((*TOKENIZER, "model.safetensors"))
    asked = online(cached)
    assert (fetch(REPOSITORY, COMMIT) / "2_Dense" / "config.json").exists()
    assert fetch(REPOSITORY, COMMIT).exists()
    assert len(asked) == 1


def test_offline_a_transformer_with_its_tokenizer_is_enough(cached):
    snapshot = cached((*TOKENIZER, "model.safetensors"))
    assert fetch(REPOSITORY, COMMIT) == snapshot


def test_offline_a_part_is_said_to_be_one_with_what_to_type(cached):
    cached(TOKENIZER)
    with pytest.raises(ModelError, match=rf"weights \(\*\.safetensors\) missing.* hf download {REPOSITORY} --revision"):
        fetch(REPOSITORY, COMMIT)


def test_a_shard_that_is_missing_is_named(cached):
    snapshot = cached()
    shards = {"weight_map": {"a": "model-1.safetensors", "b": "model.safetensors"}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(shards))
    assert missing_parts(local_copy(REPOSITORY, COMMIT)) == ["model-1.safetensors"]


def test_pickled_weights_on_the_hub_are_refused_with_the_lines_that_convert_them(cached, online, monkeypatch):
    online(lambda: cached(TOKENIZER))
    names = [*TOKENIZER, "pytorch_model.bin"]
    monkeypatch.setattr("huggingface_hub.HfApi.list_repo_files", lambda *_, **__: names)
    with pytest.raises(ModelError, match="pickled weights only") as caught:
        fetch(REPOSITORY, COMMIT, preset="mine")
    assert f"S('{REPOSITORY}', revision='{COMMIT}').save_pretrained('FOLDER')" in str(caught.value)
    assert '[models."mine"]\n  source = "FOLDER"' in str(caught.value)


def test_doctor_does_not_call_a_part_a_model(cached):
    from qdrant_embed.models.availability import find_weights

    cached(TOKENIZER)
    snapshot = cached(TOKENIZER)
    (snapshot.parent.parent / "refs").mkdir()
    (snapshot.parent.parent / "refs" / "main").write_text(COMMIT)
    found = find_weights(REPOSITORY)
    assert not found.here
    assert "only in part (weights (*.safetensors) missing)" in found.place
    cached()
    assert find_weights(REPOSITORY).here
