"""Which reader a file gets: tables by file name extension, open to other packages, and a look at the first bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.contents import open_file
from qdrant_embed.reading.parsed import Parsed, ParseFunction, clean, one_line
from qdrant_embed.reading.signature import HEAD_BYTES, OLD_NAMES, is_another_format, true_extension
from qdrant_embed.reading.text import read_text
from qdrant_embed.reading.text_encoding import looks_binary
from qdrant_embed.registry import Registry

READERS: Registry[ParseFunction] = Registry(
    "reader",
    "qdrant_embed.readers",
    dict.fromkeys((".md", ".markdown", ".mdx", ".qmd"), "qdrant_embed.reading.text:read_markdown")
    | dict.fromkeys((".csv", ".tsv"), "qdrant_embed.reading.tables.delimited:read_csv")
    | dict.fromkeys((".jsonl", ".ndjson"), "qdrant_embed.reading.records:read_json_lines")
    | dict.fromkeys((".html", ".htm", ".xhtml"), "qdrant_embed.reading.html:read_html")
    | dict.fromkeys((".mht", ".mhtml"), "qdrant_embed.reading.mail.mhtml:read_mhtml")
    | dict.fromkeys((".xml", ".rss", ".atom"), "qdrant_embed.reading.feed:read_xml")
    | dict.fromkeys((".xlsx", ".xlsm"), "qdrant_embed.reading.spreadsheets.xlsx:read_xlsx")
    | {
        ".rst": "qdrant_embed.reading.text:read_restructuredtext",
        ".json": "qdrant_embed.reading.records:read_json",
        ".ipynb": "qdrant_embed.reading.notebook.cells:read_notebook",
        ".eml": "qdrant_embed.reading.mail.letter:read_eml",
        ".msg": "qdrant_embed.reading.mail.letter:read_msg",
        ".pdf": "qdrant_embed.reading.pdf.document:read_pdf",
        ".docx": "qdrant_embed.reading.office.docx:read_docx",
        ".pptx": "qdrant_embed.reading.office.pptx:read_pptx",
        ".epub": "qdrant_embed.reading.office.epub:read_epub",
        ".xls": "qdrant_embed.reading.spreadsheets.xls:read_xls",
    },
)
"""Extension → reader. A package adds `".xyz" = "module:function"` to the entry-point group `qdrant_embed.readers`."""

MARKUP_READ_AS_IT_STANDS = frozenset({".md", ".markdown", ".mdx", ".qmd", ".rst"})

TEXT_MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    dict.fromkeys((".txt", ".text", ".log", ".adoc", ".org", ".tex"), "text/plain")
    | dict.fromkeys((".py", ".pyi"), "text/x-python")
    | dict.fromkeys((".js", ".mjs", ".cjs", ".jsx"), "text/javascript")
    | dict.fromkeys((".ts", ".mts", ".cts", ".tsx"), "text/x-typescript")
    | dict.fromkeys((".c", ".h"), "text/x-c")
    | dict.fromkeys((".cc", ".cpp", ".cxx", ".hh", ".hpp"), "text/x-c++")
    | dict.fromkeys((".sh", ".bash", ".zsh"), "text/x-sh")
    | dict.fromkeys((".yaml", ".yml"), "application/yaml")
    | {
        ".cs": "text/x-csharp",
        ".css": "text/css",
        ".go": "text/x-go",
        ".ini": "text/plain",
        ".java": "text/x-java",
        ".kt": "text/x-kotlin",
        ".lua": "text/x-lua",
        ".php": "text/x-php",
        ".pl": "text/x-perl",
        ".r": "text/x-r",
        ".rb": "text/x-ruby",
        ".rs": "text/x-rust",
        ".scala": "text/x-scala",
        ".sql": "application/sql",
        ".swift": "text/x-swift",
        ".toml": "application/toml",
    }
)
"""Extension → media type of files that are read as they stand. Unlisted ones are, too, if their bytes are text."""

MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    dict(TEXT_MEDIA_TYPES)
    | dict.fromkeys((".md", ".markdown", ".mdx", ".qmd"), "text/markdown")
    | dict.fromkeys((".html", ".htm"), "text/html")
    | dict.fromkeys((".mht", ".mhtml"), "multipart/related")
    | dict.fromkeys((".jsonl", ".ndjson"), "application/jsonl")
    | {
        ".rst": "text/x-rst",
        ".csv": "text/csv",
        ".tsv": "text/tab-separated-values",
        ".json": "application/json",
        ".ipynb": "application/x-ipynb+json",
        ".xhtml": "application/xhtml+xml",
        ".xml": "application/xml",
        ".rss": "application/rss+xml",
        ".atom": "application/atom+xml",
        ".eml": "message/rfc822",
        ".msg": "application/vnd.ms-outlook",
        ".pdf": "application/pdf",
        ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ".epub": "application/epub+zip",
        ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ".xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
        ".xls": "application/vnd.ms-excel",
    }
)
"""Extension of what the bytes are → media type of the file itself, whatever its text is turned into."""

BINARY = frozenset(
    f".{name}"
    for names in (
        "avif bmp gif heic icns ico jpeg jpg png psd svg svgz tif tiff webp",
        "aac avi flac m4a m4v mkv mov mp3 mp4 ogg wav webm",
        "7z bz2 dmg gz iso jar rar tar tgz war whl xz zip zst",
        "a class dll dylib exe lib o obj pyc pyd so wasm",
        "db feather h5 npy npz onnx parquet pickle pkl pt pth safetensors sqlite sqlite3",
        "eot otf ttf woff woff2",
    )
    for name in names.split()
)
"""Extensions that are not opened to find out; SVG is text whose text says nothing."""

UNSUPPORTED: Mapping[str, str] = MappingProxyType(
    dict.fromkeys((".doc", ".dot", ".odt", ".ott", ".rtf", ".wpd", ".pages"), "DOCX or PDF")
    | dict.fromkeys((".ppt", ".pps", ".odp", ".key"), "PPTX or PDF")
    | dict.fromkeys((".ods", ".numbers", ".xlsb"), "XLSX or CSV")
    | dict.fromkeys((".mobi", ".azw", ".azw3", ".djvu", ".ps", ".xps"), "EPUB or PDF")
)
"""Documents that nothing here reads → what to save them as."""


def reason_to_skip(path: Path) -> str | None:
    """Say why a file is not worth reading, None if it is; only files of unknown or of old extensions are opened.

    :raises OSError: The file cannot be opened.
    """
    extension = path.suffix.lower()
    if extension in TEXT_MEDIA_TYPES or extension in READERS:
        return None
    if extension in UNSUPPORTED:
        if extension in OLD_NAMES and is_another_format(extension, _head(path)):
            return None
        return f"no reader for {extension}; save it as {UNSUPPORTED[extension]}"
    if extension in BINARY:
        return "binary"
    return "binary" if looks_binary(_head(path)) else None


def is_plain(extension: str, head: bytes) -> bool:
    """Tell whether a file is read as it stands, by its extension and its first bytes."""
    plain = extension in MARKUP_READ_AS_IT_STANDS or not any(extension in table for table in (READERS, UNSUPPORTED))
    return plain and true_extension(extension, head) == extension and not looks_binary(head)


def _head(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read(HEAD_BYTES)


def _parse(extension: str, data: bytes, name: str) -> Parsed:
    if extension in READERS:
        return READERS.get(extension)(data, name)
    if extension in UNSUPPORTED:
        raise ReadError(f"no reader for {extension}; save it as {UNSUPPORTED[extension]}")
    return read_text(data, TEXT_MEDIA_TYPES.get(extension, "text/plain"))


def load(extension: str) -> None:
    """Import the reader of an extension, for seconds on a busy machine; that time is not the file's.

    :raises Exception: Whatever the import of another package's reader raises; `parse` says it of each file.
    """
    if extension in READERS:
        READERS.get(extension)


def parse(extension: str, data: bytes, name: str) -> Parsed:
    """Parse a file's bytes here and now.

    :raises ReadError: Whatever went wrong; readers fail in as many ways as files are broken.
    """
    try:
        found = true_extension(extension, data)
        parsed = _parse(found, data, name)
        media_type = parsed.media_type or MEDIA_TYPES.get(found, parsed.text_type)
        return replace(parsed, media_type=media_type)
    except ReadError:
        raise
    except MemoryError:
        raise ReadError("parsing it needs more memory than there is or is allowed") from None
    except ImportError as error:
        raise ReadError(f"its reader needs a package that is not installed: {clean(str(error))}") from error
    except Exception as error:
        raise ReadError(f"broken file: {one_line(str(error))[:300] or type(error).__name__}") from error
