"""The encodings that are told apart, and what the names mean that files give to theirs."""

from __future__ import annotations

import codecs
import difflib
from dataclasses import dataclass
from encodings.aliases import aliases

from qdrant_embed.errors import ConfigurationError

WESTERN = ("en", "de", "fr", "es", "pt", "it", "nl", "sv", "da", "nb", "fi", "is", "ca", "ga", "eu", "gl", "af", "et")
CENTRAL = ("pl", "cs", "sk", "hu", "sl", "hr", "ro", "en", "de")
BALTIC = ("lt", "lv", "et", "en")
CYRILLIC = ("ru", "uk", "bg", "sr", "mk", "be", "en")
TURKISH = ("tr", "en")


@dataclass(frozen=True, slots=True)
class CodePage:
    """An encoding that a text without any mark may be in.

    :param codec: Python's name of it.
    :param name: The name that reports give.
    :param rarity: Bits that it costs to suppose it; windows-1252, which browsers suppose, costs none.
    """

    codec: str
    name: str
    rarity: int
    languages: tuple[str, ...]


CODE_PAGES = (
    CodePage("cp1252", "windows-1252", 0, WESTERN),
    CodePage("cp1250", "windows-1250", 4, CENTRAL),
    CodePage("cp1251", "windows-1251", 4, CYRILLIC),
    CodePage("cp932", "Shift_JIS", 4, ("ja",)),
    CodePage("gb18030", "GB18030", 4, ("zh-Hans",)),
    CodePage("cp949", "EUC-KR", 5, ("ko",)),
    CodePage("big5hkscs", "Big5", 5, ("zh-Hant",)),
    CodePage("euc_jp", "EUC-JP", 6, ("ja",)),
    CodePage("cp1253", "windows-1253", 5, ("el", "en")),
    CodePage("cp1254", "windows-1254", 5, TURKISH),
    CodePage("cp1255", "windows-1255", 5, ("he", "en")),
    CodePage("cp1256", "windows-1256", 5, ("ar", "fa", "ur", "en", "fr")),
    CodePage("cp1257", "windows-1257", 6, BALTIC),
    CodePage("cp1258", "windows-1258", 8, ("vi", "en")),
    CodePage("cp874", "windows-874", 5, ("th", "en")),
    CodePage("iso8859-15", "ISO-8859-15", 6, WESTERN),
    CodePage("iso8859-2", "ISO-8859-2", 6, CENTRAL),
    CodePage("iso8859-7", "ISO-8859-7", 7, ("el", "en")),
    CodePage("iso8859-8", "ISO-8859-8", 9, ("he", "en")),
    CodePage("iso8859-6", "ISO-8859-6", 9, ("ar", "fa", "en")),
    CodePage("iso8859-5", "ISO-8859-5", 9, CYRILLIC),
    CodePage("iso8859-13", "ISO-8859-13", 9, BALTIC),
    CodePage("iso8859-4", "ISO-8859-4", 13, BALTIC),
    CodePage("iso8859-16", "ISO-8859-16", 11, ("ro", "pl", "hu", "hr")),
    CodePage("koi8-r", "KOI8-R", 5, CYRILLIC),
    CodePage("koi8-u", "KOI8-U", 7, CYRILLIC),
    CodePage("cp866", "IBM866", 6, CYRILLIC),
    CodePage("cp850", "IBM850", 8, WESTERN),
    CodePage("cp437", "IBM437", 9, (*WESTERN, "el")),
    CodePage("cp865", "IBM865", 11, WESTERN),
    CodePage("cp852", "IBM852", 10, CENTRAL),
    CodePage("cp737", "IBM737", 11, ("el", "en")),
    CodePage("cp862", "IBM862", 11, ("he", "en")),
    CodePage("cp857", "IBM857", 12, TURKISH),
    CodePage("cp775", "IBM775", 12, BALTIC),
    CodePage("cp855", "IBM855", 13, CYRILLIC),
    CodePage("mac-roman", "macintosh", 10, WESTERN),
    CodePage("mac-cyrillic", "x-mac-cyrillic", 10, CYRILLIC),
    CodePage("mac-latin2", "x-mac-ce", 12, CENTRAL),
    CodePage("mac-greek", "x-mac-greek", 12, ("el", "en")),
    CodePage("mac-turkish", "x-mac-turkish", 13, TURKISH),
)
EVERY_ALPHABET = tuple(dict.fromkeys(code for page in CODE_PAGES for code in page.languages if "-" not in code))
MULTI_BYTE = frozenset({"cp932", "gb18030", "cp949", "big5hkscs", "euc_jp"})
NAMES = {page.codec: page.name for page in CODE_PAGES}

WEB_NAMES = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs",
    "ks_c_5601-1987": "cp949", "x-sjis": "cp932", "windows-31j": "cp932", "x-gbk": "gb18030", "x-euc-jp": "euc_jp",
    "x-mac-roman": "mac-roman", "x-mac-cyrillic": "mac-cyrillic", "x-mac-ce": "mac-latin2", "macintosh": "mac-roman",
    "iso-8859-8-i": "iso8859-8", "iso-8859-8-e": "iso8859-8", "iso-8859-6-i": "iso8859-6", "iso-8859-6-e": "iso8859-6",
    "unicode-1-1-utf-8": "utf-8", "cp-850": "cp850", "x-cp1250": "cp1250", "x-cp1251": "cp1251", "x-cp1252": "cp1252",
    "windows-874": "cp874", "dos-874": "cp874", "cn-gb": "gb18030", "cn-big5": "big5hkscs", "unicode": "utf-16",
    "ibm737": "cp737", "x-mac-greek": "mac-greek", "x-mac-turkish": "mac-turkish",
    "iso-2022-jp": "iso2022_jp_ext", "iso2022_jp": "iso2022_jp_ext", "ansi_x3.4-1968": "cp1252", "utf-8-sig": "utf-8",
}  # fmt: skip
"""What the names mean in practice, as the WHATWG's Encoding Standard has it: a Latin-1 page is windows-1252."""

NO_TEXT = frozenset({"undefined", "unicode-escape", "raw-unicode-escape", "idna", "punycode", "mbcs", "oem"})


def codec_of(label: str) -> str:
    """Return Python's name for the encoding that a file means by a label, empty if it is none of a text."""
    label = label.strip().strip("\"'").strip().lower()
    if label in WEB_NAMES:
        return WEB_NAMES[label]
    try:
        b"a".decode(label)
    except UnicodeDecodeError:
        pass  # an encoding all the same, of which one byte is not enough
    except (LookupError, ValueError):
        return ""
    name = codecs.lookup(label).name
    return "" if name in NO_TEXT else WEB_NAMES.get(name, name)


def require_encoding(name: str) -> None:
    """Check the name of an encoding.

    :raises ConfigurationError: There is none of this name, or it is none of texts.
    """
    if not isinstance(name, str) or not codec_of(name):
        known = {label.lower(): label for label in (*NAMES.values(), *aliases, *aliases.values()) if codec_of(label)}
        near = difflib.get_close_matches(str(name).lower(), known, n=3, cutoff=0.6) or ["windows-1252"]
        raise ConfigurationError(
            f"encoding={name!r} is no encoding of texts; near ones: {', '.join(known[label] for label in near)}."
        )
