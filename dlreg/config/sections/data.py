"""The section `data`: which table is read, how, and which of its rows test the model."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from dlreg.config.checks import check_comment, check_country, check_delimiter, check_text_encoding
from dlreg.config.date_formats import EPOCHS, SUPPORTED_DATE_DIRECTIVES, check_date_format, check_time_zone
from dlreg.config.sections.values import LocalPath, Remark, Section, Texts, text_or_list

ColumnType = Literal["number", "category", "date"]
SplitMethod = Literal["random", "ordered", "group", "time"]
# What comes later is predicted from what came before.
FORWARD_METHODS: tuple[SplitMethod, ...] = ("ordered", "time")
DateFormat = Annotated[str, AfterValidator(check_date_format)]
Country = Annotated[str, AfterValidator(check_country)]
TimeZone = Annotated[str, AfterValidator(check_time_zone)]
Year = Annotated[int, Field(ge=100, le=9999)]
# A folder of such a name is written ./disk.
CACHE_WORDS = ("auto", "memory", "disk")


def _text_or_mapping(value: object) -> str:
    return "text" if isinstance(value, str) else "mapping"


def _word_or_folder(value: object) -> str:
    return "word" if value in CACHE_WORDS else "folder"


class DateColumn(Section):
    """How the dates of a column are written."""

    format: DateFormat = Field(description="The format of the dates.")
    latest: Year | None = Field(
        default=None,
        description="The year that %y names at the latest, so that it is one of the hundred up to it.",
    )


class DataConfig(Section):
    """Which table is read, how, and which of its rows test the model."""

    path: Annotated[LocalPath, Remark("relative paths start from this file's folder")] = Field(
        description="The table to learn from: a file, a folder or pattern of files, or - (standard input)."
    )
    target: str = Field(description="The column to predict.")
    features: Annotated[
        Annotated[Literal["all"], Tag("text")] | Annotated[Texts, Field(min_length=1), Tag("list")],
        Discriminator(text_or_list),
    ] = Field(
        default="all",
        description="The columns to predict from: all but the target, or a list; ro* is all that begin so.",
    )
    exclude: Texts = Field(default=(), description="Columns to leave out, by name or pattern.")
    encoding: Annotated[str, AfterValidator(check_text_encoding)] = Field(
        default="utf-8", description="The text encoding of the CSV, for example cp949."
    )
    delimiter: Annotated[
        str, AfterValidator(check_delimiter), Remark("or whitespace for runs of blanks and tabs")
    ] = Field(default=",", description="The character between two cells.")
    header: Annotated[bool, Remark("false needs names")] = Field(
        default=True, description="Whether the first row holds the names of the columns."
    )
    names: Annotated[Texts, Field(min_length=1)] | None = Field(
        default=None, description="The names of the columns of a file without a header."
    )
    skip_rows: Annotated[int, Remark("titles, or sep=;")] = Field(
        default=0, ge=0, le=1_000_000, description="Lines above the header that are no rows."
    )
    skip_footer: Annotated[int, Remark("blank ones do not count")] = Field(
        default=0, ge=0, le=1000, description="Lines at the end that are no rows."
    )
    comment: Annotated[str, AfterValidator(check_comment)] | None = Field(
        default=None, description='What lines start with that are no rows, for example "#".'
    )
    skip_initial_space: Annotated[bool, Remark("needed where quotes follow them")] = Field(
        default=False, description="Whether blanks before a cell are no part of it."
    )
    sheet: Annotated[str | None, Remark("null for the first")] = Field(
        default=None, description="The sheet of an Excel workbook."
    )
    decimal: Literal[".", ","] = Field(
        default=".", description="The character before the decimals of a number."
    )
    thousands: Literal[",", ".", " ", "'", "_"] | None = Field(
        default=None, description="The character that groups the digits of a number."
    )
    missing_values: Annotated[Texts, Remark("beside empty cells, NA, NaN, null, None …")] = Field(
        default=(), description="Further texts that mean a missing value."
    )
    non_data_rows: Annotated[
        Literal["refuse", "exclude", "keep"], Remark("totals, averages, units under the header")
    ] = Field(default="refuse", description="What becomes of rows that are no observations.")
    types: Annotated[
        dict[str, ColumnType], Remark("number also reads cells with a unit: 16.6%, €71, (79.01)")
    ] = Field(default={}, description="The type of a column, where the guess is wrong.")
    fold_case: Annotated[bool, Remark("blanks around a cell never tell levels apart")] = Field(
        default=False, description="Whether levels that differ in case alone are one, as elm and Elm."
    )
    dates: Annotated[
        dict[
            str,
            Annotated[
                Annotated[DateFormat, Tag("text")] | Annotated[DateColumn, Tag("mapping")],
                Discriminator(_text_or_mapping),
            ],
        ],
        Remark(
            f"ISO dates need none, others are made of {' '.join(SUPPORTED_DATE_DIRECTIVES)} or are "
            f"{' or '.join(EPOCHS)}; %y is 1969 to 2068, or 1931 to 2030 with "
            '{format: "%d.%m.%y", latest: 2030}'
        ),
    ] = Field(default={}, description='Formats of date columns, for example "%d/%m/%Y".')
    time_zone: Annotated[
        TimeZone | None, Remark('UTC, "+01:00", Europe/Berlin …; also that of cells without an offset')
    ] = Field(default=None, description="The zone into which dates with an offset from UTC are brought.")
    holidays: Annotated[
        Country | None, Remark("a code of ISO 3166, such as KR or DE-BY; needs the extra holidays")
    ] = Field(default=None, description="The country whose public holidays dates tell as a category, too.")
    test_split: float | None = Field(
        default=0.2, ge=0, lt=1, description="The fraction of the rows that test the model; 0 for none."
    )
    test_path: Annotated[LocalPath | None, Remark("instead of test_split")] = Field(
        default=None, description="A CSV file of its own with the test rows."
    )
    validation_path: Annotated[LocalPath | None, Remark("instead of training.validation_split")] = Field(
        default=None, description="A CSV file of its own with the validation rows."
    )
    split: Annotated[
        SplitMethod,
        Remark("group keeps groups whole, time takes the latest"),
    ] = Field(
        default="random", description="How test and validation rows are drawn; ordered takes the last ones."
    )
    split_by: str | None = Field(default=None, description="The column that holds the group or the time.")
    cache: Annotated[
        Annotated[Literal["auto", "memory", "disk"], Tag("word")] | Annotated[LocalPath, Tag("folder")],
        Discriminator(_word_or_folder),
        Remark("or a folder to keep them in; auto: disk if they do not fit in memory"),
    ] = Field(default="auto", description="Where the rows are kept in training.")

    @property
    def is_on_disk(self) -> bool:
        """Whether the config says that rows are kept on disk."""
        return self.cache not in ("auto", "memory")

    @property
    def date_columns(self) -> dict[str, DateColumn]:
        """How the dates of each column in `dates` are written."""
        return {
            name: DateColumn(format=given) if isinstance(given, str) else given
            for name, given in self.dates.items()
        }
