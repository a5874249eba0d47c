"""Whether a prepared folder is still what was written: its files compared with their checksums, as downloads are."""

from __future__ import annotations

from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.prepared_folder import PreparedFolder
from qdrant_embed.models.hub.checksums import KeptFile, compares_in_full, keep_files, look_at, noted_files


def require_as_prepared(prepared: PreparedFolder) -> None:
    """Compare a prepared folder's files with what was written; cheap where neither sizes nor times have moved.

    :raises ModelError: One of them is missing or changed.
    """
    if faults := faults_of(prepared, whole=compares_in_full()):
        raise ModelError(
            f"{', '.join(faults)} in {prepared.folder} is not as it was prepared: changed, damaged, or not copied. "
            f"Copy the folder again, or prepare it again, where the original is: {prepared.command}"
        )


def faults_of(prepared: PreparedFolder, *, whole: bool = False) -> list[str]:
    """Return the names of files that are missing or changed.

    :param whole: Whether to hash all of them, whatever their sizes and times say.
    """
    stated = {name: KeptFile(**file) for name, file in prepared.files.items()}
    noted = noted_files(prepared.folder) or {}
    # A copy has times of its own, which are noted here; what was noted of a folder that stood here before is not meant.
    before = {
        name: noted[name] if name in noted and noted[name].digest == file.digest else file
        for name, file in stated.items()
    }
    missing = [name for name in before if not (prepared.folder / name).is_file()]
    after, damaged = look_at(
        prepared.folder, {name: file for name, file in before.items() if name not in missing}, whole=whole
    )
    if not missing and not damaged and after != before:
        keep_files(prepared.folder, after)
    return missing + damaged
