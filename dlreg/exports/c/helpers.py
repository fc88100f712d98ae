"""The C functions that a file may need, each where it is used: C99, without memory of their own."""

from collections.abc import Mapping

from dlreg.exports.c.literals import text_literal
from dlreg.table.spelling import BLANK_CHARACTERS

# Of functions that are there for both types of numbers: its type, and the ending of the names in libm.
_FLOATS = {"float": "f", "double": ""}
_OF_FLOATS = {
    # No number stays none through all of them.
    "relu": "return x < 0 ? 0 : x;",
    "sigmoid": "return 1 / (1 + {exp}(-x));",
    "softplus": "return x > 0 ? x + log1p{f}(exp{f}(-x)) : log1p{f}(exp{f}(x));",
    "softsign": "return x / (1 + fabs{f}(x));",
    "gelu": "return x * (1 + erf{f}(x * ({T})0.70710678118654752440)) / 2;",
    "missing": "return x != x;",
}
_WITH_NUMBERS = {
    "clip": ("low high", "return x < low ? low : x > high ? high : x;"),
    "leaky_relu": ("alpha", "return x < 0 ? alpha * x : x;"),
    "elu": ("alpha", "return x < 0 ? alpha * ({exp}(x) - 1) : x;"),
    "selu": ("alpha gamma", "return gamma * (x < 0 ? alpha * ({exp}(x) - 1) : x);"),
    "celu": ("alpha", "return x < 0 ? alpha * ({exp}(x / alpha) - 1) : x;"),
    "hard_sigmoid": (
        "alpha beta",
        "const {T} y = alpha * x + beta;\n    return y < 0 ? 0 : y > 1 ? 1 : y;",
    ),
    "shrink": ("limit bias", "return x < -limit ? x + bias : x > limit ? x - bias : x - x;"),
    "larger": ("other", "return x > other || x != x ? x : other;"),
    "smaller": ("other", "return x < other || x != x ? x : other;"),
}


def _of_floats() -> dict[str, str]:
    functions = {}
    for c_type, suffix in _FLOATS.items():
        every = {name: ("", body) for name, body in _OF_FLOATS.items()} | _WITH_NUMBERS
        for name, (others, body) in every.items():
            parameters = ", ".join(f"const {c_type} {word}" for word in ("x", *others.split()))
            power = "power_float" if c_type == "float" else "exp"
            code = body.replace("{T}", c_type).replace("{f}", suffix).replace("{exp}", power)
            result = "int" if name == "missing" else c_type
            functions[f"{name}_{c_type}"] = (
                f"static {result} {name}_{c_type}({parameters}) {{\n    {code}\n}}\n"
            )
    return functions


def _blanks() -> str:
    blanks = [character.encode() for character in BLANK_CHARACTERS]
    rows = ",\n    ".join(f"{{{text_literal(blank)}, {len(blank)}}}" for blank in blanks)
    count = f"enum {{ n_blanks = {len(blanks)} }};\n"
    return f"{count}static const struct text blanks[n_blanks] = {{\n    {rows}}};\n"


# In an order in which each stands behind those that it calls.
HELPERS: Mapping[str, str] = {
    "text": """\
struct text {
    const char *start;
    size_t size;
};
""",
    "text_of": """\
static struct text text_of(const char *cell) {
    struct text text;
    text.start = cell ? cell : "";
    text.size = strlen(text.start);
    return text;
}
""",
    "compare": """\
static int compare(const struct text a, const struct text b) {
    const int order = memcmp(a.start, b.start, a.size < b.size ? a.size : b.size);
    return order ? order : (a.size > b.size) - (a.size < b.size);
}
""",
    "find": """\
/* The place of a text in a sorted table, or its length. */
static size_t find(const struct text text, const struct text *table, const size_t length) {
    size_t low = 0, high = length;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = compare(table[middle], text);
        if (order == 0) {
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return length;
}
""",
    "trimmed": """\
/* A text without the spaces around it. */
static struct text trimmed(struct text text) {
    while (text.size && text.start[text.size - 1] == ' ') {
        text.size--;
    }
    while (text.size && *text.start == ' ') {
        text.start++;
        text.size--;
    }
    return text;
}
""",
    "part": """\
/* The part of a text before (0) or behind (1) its first separator; the latter is empty if there is none. */
static struct text part(const struct text text, const struct text separator, const int behind) {
    struct text result = text;
    size_t place = 0;
    while (place + separator.size <= text.size
           && memcmp(text.start + place, separator.start, separator.size)) {
        place++;
    }
    if (place + separator.size > text.size) {
        result.size = behind ? 0 : text.size;
    } else if (behind) {
        result.start += place + separator.size;
        result.size -= place + separator.size;
    } else {
        result.size = place;
    }
    return result;
}
""",
    "number": """\
/* The number that digits spell, in any locale; behind a point it reads the first eighteen. */
static double number(const struct text text) {
    double whole = 0, scale = 1;
    size_t place = 0;
    const int negative = text.size && text.start[0] == '-';
    int behind_point = 0;
    for (place = negative ? 1 : 0; place < text.size && scale < 1e18; place++) {
        if (text.start[place] == '.') {
            behind_point = 1;
        } else if (text.start[place] >= '0' && text.start[place] <= '9') {
            whole = whole * 10 + (text.start[place] - '0');
            scale = behind_point ? scale * 10 : scale;
        }
    }
    whole /= scale;
    return negative ? -whole : whole;
}
""",
    "fraction": """\
/* The number that digits spell behind a point. */
static double fraction(const struct text text) {
    double whole = 0, scale = 1;
    for (size_t place = 0; place < text.size && scale < 1e18; place++) {
        whole = whole * 10 + (text.start[place] - '0');
        scale *= 10;
    }
    return whole / scale;
}
""",
    "fits": """\
/* Whether an automaton accepts a text: of each byte its class, of each state and class the next state. */
static int fits(const struct text text, const unsigned char *classes, const size_t n_classes,
                const unsigned short *next, const unsigned char *accepts) {
    size_t state = 1;
    for (size_t place = 0; state && place < text.size; place++) {
        state = next[state * n_classes + classes[(unsigned char)text.start[place]]];
    }
    return accepts[state];
}
""",
    "blanks": _blanks(),
    "without_blanks": """\
/* A text without the blanks of Unicode around it. */
static struct text without_blanks(struct text text) {
    size_t place = 0;
    while (place < n_blanks) {
        const struct text blank = blanks[place++];
        if (text.size >= blank.size) {
            if (memcmp(text.start, blank.start, blank.size) == 0) {
                text.start += blank.size;
                text.size -= blank.size;
                place = 0;
            } else if (memcmp(text.start + text.size - blank.size, blank.start, blank.size) == 0) {
                text.size -= blank.size;
                place = 0;
            }
        }
    }
    return text;
}
""",
    "whole_number": """\
/* A whole number as it is spelt in short, such as 3 for +3.00; empty for another text. */
static struct text whole_number(const struct text text) {
    struct text digits = text;
    const struct text none = {"", 0};
    size_t n_digits = 0, rest = 0;
    const char sign = text.size ? *text.start : 0;
    if (sign == '+' || sign == '-') {
        digits.start++;
        digits.size--;
    }
    while (n_digits < digits.size && digits.start[n_digits] >= '0' && digits.start[n_digits] <= '9') {
        n_digits++;
    }
    if (n_digits == 0 || (*digits.start == '0' && n_digits > 1)) {
        return none;
    }
    rest = digits.size - n_digits;
    if (rest && digits.start[n_digits] == '.') {
        while (rest > 1 && digits.start[n_digits + rest - 1] == '0') {
            rest--;
        }
        rest--;
    } else if (rest && digits.start[n_digits] == ',' && (rest == 2 || rest == 3)) {
        rest = digits.start[n_digits + 1] == '0' && digits.start[digits.size - 1] == '0' ? 0 : rest;
    }
    if (rest) {
        return none;
    }
    digits.size = n_digits;
    if (sign == '-' && *digits.start != '0') {
        digits.start--;
        digits.size++;
    }
    return digits;
}
""",
    "folded": """\
/* A text with small letters, written to a buffer as far as it fits. */
static struct text folded(const struct text text, char *buffer, const size_t capacity,
                          const struct text *capitals, const struct text *small, const size_t n_letters) {
    struct text result;
    size_t place = 0;
    result.start = buffer;
    result.size = 0;
    while (place < text.size && result.size < capacity) {
        size_t letter = 0, n_bytes = 1;
        struct text piece;
        while (place + n_bytes < text.size && ((unsigned char)text.start[place + n_bytes] & 0xc0) == 0x80) {
            n_bytes++;
        }
        piece.start = text.start + place;
        piece.size = n_bytes;
        letter = find(piece, capitals, n_letters);
        piece = letter < n_letters ? small[letter] : piece;
        for (size_t k = 0; k < piece.size && result.size < capacity; k++) {
            buffer[result.size++] = piece.start[k];
        }
        place += n_bytes;
    }
    return result;
}
""",
    "place": """\
/* A place in a table of so many, whatever is asked for. */
static size_t place(const int64_t position, const size_t length) {
    return position < 0 ? 0 : (uint64_t)position < length ? (size_t)position : length - 1;
}
""",
    "whole": """\
static int64_t whole(const double x) {
    return x > -9e18 && x < 9e18 ? (int64_t)x : 0;
}
""",
    "larger_int64_t": """\
static int64_t larger_int64_t(const int64_t x, const int64_t other) {
    return x > other ? x : other;
}
""",
    "smaller_int64_t": """\
static int64_t smaller_int64_t(const int64_t x, const int64_t other) {
    return x < other ? x : other;
}
""",
    "power_float": """\
/*
 * e to the power of x between -80 and 80, within a rounding or two: 2^n times a polynomial of what is left
 * (that of Cephes). Without a branch or a call, so that compilers compute several at once.
 */
static float power_float(const float x) {
    const float bounded = x < -80 ? -80.0f : x > 80 ? 80.0f : x;
    const float number = x != x ? 0.0f : bounded;
    const int32_t n = (int32_t)(number * 1.44269504f + (number < 0 ? -0.5f : 0.5f));
    const float r = (number - (float)n * 0.693359375f) + (float)n * 2.12194440e-4f;
    const float high = (1.9875691500e-4f * r + 1.3981999507e-3f) * r + 8.3334519073e-3f;
    const float low = ((high * r + 4.1665795894e-2f) * r + 1.6666665459e-1f) * r + 5.0000001201e-1f;
    const float sum = low * (r * r) + r + 1;
    const int32_t bits = (n + 127) * 8388608;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return x != x ? x : sum * scale;
}
""",
    "mish_float": """\
/* x tanh(log(1 + e^x)), with n = e^x (e^x + 2) as x n / (n + 2). */
static float mish_float(const float x) {
    const float power = power_float(x > 20 ? 20.0f : x);
    const float n = power * (power + 2);
    return x * (n / (n + 2));
}
""",
    "tanh_float": """\
static float tanh_float(const float x) {
    const float power = power_float(-2 * fabsf(x));
    const float size = (1 - power) / (1 + power);
    return x < 0 ? -size : size;
}
""",
    "fused_float": """\
/* x y + sum, rounded once; where the processor cannot, twice, which makes a difference once in millions. */
static float fused_float(const float x, const float y, const float sum) {
#ifdef FP_FAST_FMAF
    return fmaf(x, y, sum);
#else
    return (float)((double)x * (double)y + (double)sum);
#endif
}
""",
    "dot_float": """\
/* The sum of x y, as eight sums that do not wait for each other. */
static float dot_float(const float *x, const float *y, const size_t length) {
    float sums[8] = {0};
    for (size_t k = 0; k < length; k++) {
        sums[k % 8] += x[k] * y[k];
    }
    return (sums[0] + sums[1] + sums[2] + sums[3]) + (sums[4] + sums[5] + sums[6] + sums[7]);
}
""",
    "leaves_float": """\
/*
 * The sum of the leaves that a row comes to. A node compares a feature, -1 in a leaf, with a number, which
 * in a leaf is its value; a row goes to the next node where the feature is at most this, else to the right.
 */
static float leaves_float(const float *row, const int32_t *features, const float *numbers,
                          const int32_t *right, const int32_t *roots, const size_t n_trees) {
    float sum = 0;
    for (size_t tree = 0; tree < n_trees; tree++) {
        int32_t node = roots[tree];
        while (features[node] >= 0) {
            node = row[features[node]] <= numbers[node] ? node + 1 : right[node];
        }
        sum += numbers[node];
    }
    return sum;
}
""",
    **_of_floats(),
}
NEEDS: Mapping[str, tuple[str, ...]] = {
    "text_of": ("text",),
    "compare": ("text",),
    "find": ("text", "compare"),
    "trimmed": ("text",),
    "part": ("text",),
    "number": ("text",),
    "fraction": ("text",),
    "fits": ("text",),
    "blanks": ("text",),
    "without_blanks": ("blanks",),
    "whole_number": ("text",),
    "folded": ("text", "find"),
    **dict.fromkeys(
        ["mish_float", "tanh_float", "sigmoid_float", "elu_float", "selu_float", "celu_float"],
        ("power_float",),
    ),
}
