"""The tools that change a collection: `ingest` and `delete`."""

from __future__ import annotations

from typing import Annotated

from mcp_types import CallToolResult
from pydantic import Field

from qdrant_embed import Collection
from qdrant_embed.display import counted, one_line
from qdrant_embed.errors import ConfigurationError
from qdrant_embed_mcp import results
from qdrant_embed_mcp.open_collections import OpenCollections
from qdrant_embed_mcp.paths import path_below, require_inside
from qdrant_embed_mcp.reading_tools import Name, Root
from qdrant_embed_mcp.threads import Workers, ends_with_call

MOST_FAILURES = 50


class WritingTools:
    """Each method is a tool; its annotations are the tool's schema."""

    def __init__(self, collections: OpenCollections, workers: Workers) -> None:
        self._collections, self._workers = collections, workers

    async def ingest(
        self,
        path: Annotated[str, Field(description="A file or folder below those that the server may read.")],
        collection: Name = None,
    ) -> Annotated[CallToolResult, results.Ingested]:
        """Bring a collection in line with a file or folder: what is new is added, what is gone from it is removed."""

        def work(opened: Collection) -> results.Ingested:
            folders = [folder for folder in self._collections.settings.folders if not isinstance(folder, str)]
            found = path_below(path, folders)
            require_inside(found, folders)
            report = opened.ingest(found, progress=ends_with_call(), patience=0)
            failed = [one_line(f"{one.source}: {one.reason}") for one in report.failed[:MOST_FAILURES]]
            return results.Ingested(
                collection=opened.name, documents=report.documents, embedded=report.embedded, reused=report.reused,
                deleted=report.deleted, skipped=report.skipped, failed=failed,
            )  # fmt: skip

        done = await self._workers.run(lambda: self._collections.using(collection, work, make=True))
        text = f"{counted(done.documents, 'document')}: {done.embedded} texts embedded, {done.deleted} chunks removed."
        return results.told(done, "\n".join([text, *(f"> failed: {one}" for one in done.failed)]))

    async def delete(
        self,
        source: Annotated[str | None, Field(description="A source, or a pattern such as old/*.")] = None,
        root: Root = None,
        collection: Name = None,
        dry_run: Annotated[bool, Field(description="Count only.")] = False,  # noqa: FBT002 - a tool's argument
    ) -> Annotated[CallToolResult, results.Deleted]:
        """Remove documents from a collection; their files stay as they are."""

        def work(opened: Collection) -> results.Deleted:
            if not source and not root:
                raise ConfigurationError("nothing says what to remove; give source= or root=.")
            gone = opened.delete(source or None, root=root or None, dry_run=dry_run)
            return results.Deleted(collection=opened.name, chunks=gone, dry_run=dry_run)

        done = await self._workers.run(lambda: self._collections.using(collection, work))
        return results.told(done, f"{counted(done.chunks, 'chunk')} {'would be ' if dry_run else ''}removed.")
