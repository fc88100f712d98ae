"""Names, numbers, texts and comments as C writes them, whatever a column or a level is called."""

import re
import unicodedata
from collections.abc import Iterable

import numpy as np

# The longest literal that C99 asks of a compiler.
MOST_BYTES_OF_LITERAL = 4095
# Words of C up to C23 and of C++, where the declarations may be included, too.
_KEYWORDS = re.compile(
    r"alignas|alignof|and|and_eq|asm|auto|bitand|bitor|bool|break|case|catch|char|class|co_await|"
    r"co_return|co_yield|compl|concept|const|const_cast|consteval|constexpr|constinit|continue|"
    r"decltype|default|delete|do|double|dynamic_cast|else|enum|explicit|export|extern|false|float|for|"
    r"friend|goto|if|inline|int|long|mutable|namespace|new|noexcept|not|not_eq|nullptr|operator|or|"
    r"or_eq|private|protected|public|register|reinterpret_cast|requires|restrict|return|short|signed|"
    r"sizeof|static|static_assert|static_cast|struct|switch|template|this|thread_local|throw|true|try|"
    r"typedef|typeid|typename|typeof|typeof_unqual|union|unsigned|using|virtual|void|volatile|wchar_t|"
    r"while|xor|xor_eq"
)
# Macros of the headers that a file includes, and of compilers beside the standard.
_MACROS = re.compile(
    r"NAN|NULL|INFINITY|SNANF?L?|HUGE|HUGE_VALF?L?|FP_\w+|MATH_\w+|M_\w+|math_errhandling|OVERFLOW|UNDERFLOW|"
    r"DOMAIN|SING|[PT]LOSS|EOF|errno|"
    r"is(nan|inf|finite|normal|greater\w*|less\w*|unordered)|fpclassify|signbit|offsetof|"
    r"U?INT\w+|SIZE_MAX|W(CHAR|INT)_M(AX|IN)|SIG_\w+|PTRDIFF_\w+|linux|unix|i386|arm|mips|sparc|vax|near|far|"
    r"min|max|DLREG_\w+"
)
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def is_identifier(name: str) -> bool:
    """Whether a name may begin the names of a file's functions."""
    return bool(_FIELD.fullmatch(name)) and not _KEYWORDS.fullmatch(name) and not _MACROS.fullmatch(name)


def identifiers(names: Iterable[str]) -> list[str]:
    """A C identifier for each name, as much like it as possible.

    No two differ in case alone: TensorFlow does not tell such apart.
    """
    given: dict[str, str] = {}
    for name in names:
        plain = free = _identifier(name)
        number = 2
        while free.lower() in given:
            free, number = _with_lead(f"{plain}_{number}"), number + 1
        given[free.lower()] = free
    return list(given.values())


def _identifier(name: str) -> str:
    """A name's letters without their accents; others by their number in Unicode."""
    letters = "".join(map(_letters, unicodedata.normalize("NFC", name)))
    word = re.sub(r"_+", "_", letters).strip("_")[:60].rstrip("_") or "column"
    if not word[0].isalpha():
        word = f"column_{word}"
    return word if is_identifier(word) else _with_lead(f"{word}_")


def _with_lead(word: str) -> str:
    """The word, after another one where C has a use of its own for it."""
    return word if is_identifier(word) else f"column_{word}"


def _letters(character: str) -> str:
    plain = unicodedata.normalize("NFKD", character)[0]
    if plain.isascii():
        return plain if plain.isalnum() else "_"
    return f"_u{ord(character):04x}_" if character.isalnum() else "_"


def text_literal(text: bytes) -> str:
    """Bytes between quotes; all but letters, digits and the plainest signs by their number."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character.isascii() and (character.isalnum() or character in " !#$&()*+,-./:;<=>@[]^_`{|}~'"):
        return character
    # Three digits: what follows cannot be taken for a fourth.
    return f"\\{byte:03o}"


def comment_text(text: str) -> str:
    """Text that neither ends a comment nor begins another, on one line."""
    shown = "".join(map(_shown, text))
    return shown.replace("*/", r"*\/").replace("/*", r"/\*")


def _shown(character: str) -> str:
    if character == "?":
        return "\\?"
    category = unicodedata.category(character)
    if character == " " or (category[0] not in "CZ" and character != "\\"):
        return character
    number = ord(character)
    return f"\\u{number:04x}" if number < 1 << 16 else f"\\U{number:08x}"


def number_literal(value: object, c_type: str) -> str:
    """A number that a compiler reads as the same to the bit."""
    if c_type in ("int64_t", "int"):
        # A minus is an operator in C, and applies to a number that must not be too large itself.
        whole = int(value)  # type: ignore[call-overload]
        if whole == -(1 << 63):
            return "INT64_MIN"
        literal = f"INT64_C({abs(whole)})" if abs(whole) >= 1 << 31 else str(abs(whole))
        return f"-{literal}" if whole < 0 else literal
    number = np.float32(value) if c_type == "float" else np.float64(value)  # type: ignore[arg-type]
    if np.isnan(number):
        return f"({c_type})NAN"
    if np.isinf(number):
        return f"({c_type}){'-' if number < 0 else ''}INFINITY"
    digits = str(number)
    if not re.search(r"[.e]", digits):
        digits += ".0"
    return f"{digits}f" if c_type == "float" else digits
