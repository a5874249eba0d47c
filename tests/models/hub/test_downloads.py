"""What comes from the hub, what is here of it already, and what is said where neither can be had."""

import json
import os
import shutil

import pytest

from qdrant_embed.errors import ModelError
from qdrant_embed.models.hub.downloads import FetchOrder, fetch, fetching, missing_in
from qdrant_embed.models.hub.local_copies import local_copy
from tests.support.tiny_models import edit_json

REPOSITORY = "someone/model"
TOKENIZER = ("config.json", "tokenizer.json", "tokenizer_config.json")
WITHOUT_DENSE = (*TOKENIZER, "modules.json", "model.safetensors", "1_Pooling/config.json")
NEITHER = ("onnx/model.onnx", "openvino/openvino_model.bin", "pytorch_model.bin", "model.fp16.safetensors",
           "checkpoint-9/model.safetensors", "consolidated.safetensors", "modeling.py", "README.md")  # fmt: skip


@pytest.fixture
def saved(save_model):
    """Return a model's folder, to be changed."""
    return save_model(dense=16)


@pytest.fixture
def offered(hub, saved):
    """Offer a model on the hub; return its commit."""
    return hub.add(REPOSITORY, saved)


@pytest.fixture
def cached(hub, saved, offered, tmp_path):
    """Return a function that puts files of the model into the cache, as if another program had."""

    def put(wanted=None):
        storage = tmp_path / "hub" / "models--someone--model"
        for path in saved.rglob("*"):
            inside = path.relative_to(saved)
            if path.is_file() and (wanted is None or inside.as_posix() in wanted):
                (storage / "snapshots" / offered / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, storage / "snapshots" / offered / inside)
        (storage / "refs").mkdir(exist_ok=True)
        (storage / "refs" / "main").write_text(offered)
        return storage / "snapshots" / offered

    return put


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def relative(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def fetched_again(**options):
    with fetching(FetchOrder(**options)) as order:
        fetch(REPOSITORY)
    return order.fetched[0].downloaded


def test_what_a_model_needs_comes_and_nothing_else(hub, saved):
    needed = relative(saved)
    for name in NEITHER:
        (saved / name).parent.mkdir(exist_ok=True)
        (saved / name).write_bytes(b"x" * 20_000)
    commit = hub.add(REPOSITORY, saved)
    folder = fetch(REPOSITORY)
    assert folder.name == commit
    assert sorted(hub.files()) == relative(folder) == needed
    assert all((folder / name).read_bytes() == (saved / name).read_bytes() for name in needed)
    asked = len(hub.asked)
    assert fetch(REPOSITORY) == fetch(REPOSITORY, commit) == folder
    assert len(hub.asked) == asked


def test_of_weights_in_parts_those_of_the_index_come(hub, saved):
    (saved / "model.safetensors").rename(saved / "model-1-of-1.safetensors")
    (saved / "model-1-of-2.safetensors").write_bytes(b"another cut")
    (saved / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "model-1-of-1.safetensors"}}))
    hub.add(REPOSITORY, saved)
    names = relative(fetch(REPOSITORY))
    assert "model-1-of-1.safetensors" in names
    assert "model-1-of-2.safetensors" not in names


@pytest.mark.parametrize("part", [TOKENIZER, WITHOUT_DENSE])
def test_a_part_is_completed_from_the_network(cached, hub, saved, part):
    cached(part)
    assert relative(fetch(REPOSITORY)) == relative(saved)
    assert not set(hub.files()) & set(part) - {"config.json", "modules.json"}


def test_a_transformer_whose_repository_was_never_listed_is_asked_for_its_modules(cached, hub):
    cached((*TOKENIZER, "model.safetensors"))
    assert (fetch(REPOSITORY) / "2_Dense" / "config.json").exists()
    asked = len(hub.asked)
    assert fetch(REPOSITORY).exists()
    assert len(hub.asked) == asked


def test_offline_a_transformer_with_its_tokenizer_is_enough(cached, offline):
    snapshot = cached((*TOKENIZER, "model.safetensors"))
    assert fetch(REPOSITORY) == snapshot


def test_offline_a_part_is_said_to_be_one_with_what_to_type(cached, offline):
    cached(TOKENIZER)
    with pytest.raises(ModelError, match=rf"weights \(\*\.safetensors\) missing.* models fetch {REPOSITORY}\."):
        fetch(REPOSITORY)


def test_a_shard_that_is_missing_is_named(cached):
    snapshot = cached()
    shards = {"weight_map": {"a": "model-1.safetensors", "b": "model.safetensors"}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(shards))
    assert missing_in(local_copy(REPOSITORY)) == ["model-1.safetensors"]


def test_pickled_weights_are_refused_with_the_lines_that_convert_them(hub, saved):
    (saved / "model.safetensors").rename(saved / "pytorch_model.bin")
    (saved / "2_Dense" / "model.safetensors").unlink()
    commit = hub.add(REPOSITORY, saved)
    with pytest.raises(ModelError, match="pickled weights only") as caught:
        fetch(REPOSITORY, commit, preset="mine")
    assert f"S('{REPOSITORY}', revision='{commit}').save_pretrained('FOLDER')" in str(caught.value)
    assert '[models."mine"]\n  source = "FOLDER"' in str(caught.value)
    assert hub.files() == []


def ranges(hub):
    return [headers.get("Range") for _, path, headers in hub.asked if path.endswith("/model.safetensors")]


def test_a_broken_transfer_goes_on_where_it_did(hub, offered, saved):
    hub.breaks["model.safetensors"] = [3000, 3000]
    folder = fetch(REPOSITORY)
    assert (folder / "model.safetensors").read_bytes() == (saved / "model.safetensors").read_bytes()
    assert [one for one in ranges(hub) if one] == ["bytes=3000-", "bytes=6000-"]


def test_an_interrupted_download_goes_on_in_the_next_process(hub, offered, saved):
    hub.breaks["model.safetensors"] = [3000] + [0] * 9

    def stop(state):
        if state.file == "model.safetensors":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetched_again(progress=stop)
    assert local_copy(REPOSITORY) is None, "no revision leads to what is not whole"
    asked, hub.breaks = len(hub.asked), {}
    assert 0 < fetched_again() <= sum(path.stat().st_size for path in saved.rglob("*.*")) - 3000
    assert [headers.get("Range") for _, path, headers in hub.asked[asked:] if path.endswith("el.safetensors")][-1]
    assert relative(local_copy(REPOSITORY)) == relative(saved)
    assert not [path for path in local_copy(REPOSITORY).parents[1].rglob("*") if path.suffix in (".part", ".lock")]


def test_a_server_that_has_no_more_to_say_is_no_endless_loop(hub, offered):
    hub.breaks["model.safetensors"] = [0] * 99
    with pytest.raises(ModelError, match=r"could not be downloaded \(RemoteProtocolError"):
        fetch(REPOSITORY)


def test_what_is_changed_on_its_way_is_not_kept(hub, offered, saved):
    data = (saved / "model.safetensors").read_bytes()
    hub.altered["model.safetensors"] = data[:-1] + bytes([data[-1] ^ 1])
    with pytest.raises(ModelError, match="the hub states"):
        fetch(REPOSITORY)
    hub.altered.clear()
    assert (fetch(REPOSITORY) / "model.safetensors").read_bytes() == data


def damage(path, *, keep_time):
    path = path.resolve()
    data, status = path.read_bytes(), path.stat()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(path, (status.st_atime, status.st_mtime + (0 if keep_time else 10)))


def test_a_file_that_was_damaged_since_is_told_of_at_load_and_fetched_anew(hub, offered, saved):
    weights = fetch(REPOSITORY) / "model.safetensors"
    damage(weights, keep_time=False)
    with pytest.raises(ModelError, match=rf"model\.safetensors of '{REPOSITORY}'.*type: qdrant-embed models fetch"):
        fetch(REPOSITORY)
    assert fetched_again() == (saved / "model.safetensors").stat().st_size
    assert fetch(REPOSITORY)


def test_damage_that_shows_in_neither_size_nor_time_is_found_when_all_is_compared(hub, offered):
    weights = fetch(REPOSITORY) / "model.safetensors"
    damage(weights, keep_time=True)
    assert fetched_again() == 0
    assert fetched_again(verify=True) > 0


def test_a_file_whose_time_alone_has_moved_is_hashed_once(hub, offered, monkeypatch):
    weights = fetch(REPOSITORY) / "model.safetensors"
    os.utime(weights.resolve(), (1, 1))
    hashed = []
    real = "qdrant_embed.models.hub.checksums.digest_of"
    from qdrant_embed.models.hub.checksums import digest_of

    monkeypatch.setattr(real, lambda path, stated="": hashed.append(path.name) or digest_of(path, stated))
    assert fetch(REPOSITORY)
    assert fetch(REPOSITORY)
    assert hashed == ["model.safetensors"]


def test_what_another_program_downloaded_is_looked_at_once(cached, hub, offline):
    snapshot = cached()
    assert fetch(REPOSITORY) == snapshot
    damage(snapshot / "model.safetensors", keep_time=False)
    with pytest.raises(ModelError, match="damaged"):
        fetch(REPOSITORY)


def test_a_link_that_is_not_named_by_what_it_leads_to_is_damaged(hub, offered):
    weights = fetch(REPOSITORY) / "model.safetensors"
    notes = weights.parents[2] / ".qdrant-embed"
    assert notes.is_dir(), "what is known of the files goes along where the cache is copied"
    shutil.rmtree(notes)
    assert fetch(REPOSITORY)
    shutil.rmtree(notes)
    damage(weights, keep_time=True)
    with pytest.raises(ModelError, match="damaged"):
        fetch(REPOSITORY)


def test_without_links_the_files_themselves_are_there(hub, offered, saved, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_SYMLINKS", True)
    folder = fetch(REPOSITORY)
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    assert relative(folder) == relative(saved)
    assert fetched_again(verify=True) == 0


def test_a_mirror_that_lists_names_alone_is_asked_for_each_file(hub, offered, saved):
    hub.plain = True
    assert relative(fetch(REPOSITORY)) == relative(saved)
    assert len(hub.paths("HEAD")) == len(relative(saved))
    assert fetched_again(verify=True) == 0


def test_names_that_lead_out_of_the_folder_are_left_out(hub, saved, monkeypatch):
    add = hub.add(REPOSITORY, saved)
    hub._repositories[REPOSITORY]["main"]["../../outside.json"] = b"{}"
    assert fetch(REPOSITORY).name == add
    assert "outside" not in " ".join(hub.files())


def test_a_new_name_is_told_of_and_works(hub, offered, saved, caplog):
    hub.renamed["someone/older"] = REPOSITORY
    assert relative(fetch("someone/older")) == relative(saved)
    assert f"someone/older under a new name: {REPOSITORY}" in caplog.text


def test_what_the_hub_refuses_is_said_with_what_to_type(hub, offered, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secretsecretsecret")
    hub.gated.add("someone/gated")
    for name, revision, told in (
        ("someone/gated", "", rf"accept its terms, at {hub.url}/someone/gated; then type: hf auth login"),
        ("someone/unknown", "", r"the hub knows no model 'someone/unknown'"),
        (REPOSITORY, "v9", r"has no revision 'v9'"),
    ):
        with pytest.raises(ModelError, match=told) as caught:
            fetch(name, revision)
        assert "secret" not in str(caught.value)


def test_no_room_is_said_before_anything_large_comes(hub, offered, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1000))
    with pytest.raises(ModelError, match=r"takes \d+ kB more, and .* has room for 1\.0 kB\. Make room"):
        fetch(REPOSITORY)
    assert set(hub.files()) == {"config.json", "modules.json"}


def test_a_disk_that_fills_up_or_refuses_is_said(hub, offered, tmp_path):
    (tmp_path / "hub").write_text("no folder")
    with pytest.raises(ModelError, match=r"could not be written to .*Set HF_HOME to a folder that can be written"):
        fetch(REPOSITORY)


def test_neither_a_password_of_a_mirror_nor_control_codes_are_told(hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://me:hunter2@127.0.0.1:9")
    with pytest.raises(ModelError, match="could not be downloaded") as caught:
        fetch(REPOSITORY)
    assert "hunter2" not in str(caught.value)


def test_doctor_does_not_call_a_part_a_model(cached):
    from qdrant_embed.models.availability import find_weights

    cached(TOKENIZER)
    found = find_weights(REPOSITORY)
    assert not found.here
    assert "only in part (weights (*.safetensors) missing)" in found.place
    cached()
    assert find_weights(REPOSITORY).here


@pytest.mark.parametrize(("torch", "architecture", "wanted"), [
    (False, "unheard-of", True), (False, "bert", False), (True, "unheard-of", False),
])  # fmt: skip
def test_a_graph_comes_where_nothing_else_runs_the_weights(hub, saved, monkeypatch, torch, architecture, wanted):
    (saved / "openvino").mkdir()
    for name in ("openvino_model.xml", "openvino_model.bin", "openvino_model_int8.xml"):
        (saved / "openvino" / name).write_bytes(b"graph")
    edit_json(saved / "config.json", model_type=architecture)
    hub.add(REPOSITORY, saved)
    monkeypatch.setattr("qdrant_embed.models.hub.needed_files.is_installed", lambda _: torch)
    names = relative(fetch(REPOSITORY))
    assert [name for name in names if name.startswith("openvino/")] == (
        ["openvino/openvino_model.bin", "openvino/openvino_model.xml"] if wanted else []
    )
