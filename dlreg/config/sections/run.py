"""The section `run`: where a run is kept, and what of the machine it uses."""

from typing import Annotated, Literal

from pydantic import Field

from dlreg.config.sections.values import LocalPath, Remark, Section

TrackerName = Literal["tensorboard", "mlflow"]


class RunConfig(Section):
    """Where the run is kept, and what of the machine it uses."""

    dir: Annotated[LocalPath | None, Remark("such as runs/CONFIGNAME-1")] = Field(
        default=None, description="The run directory; null for the next free in runs."
    )
    threads: int | None = Field(
        default=None, ge=1, le=1024, description="Threads of an operation; null for what is best here."
    )
    compile_cache: Annotated[bool, Remark("in the user's cache folder")] = Field(
        default=True, description="Whether compiled programs are kept for the next run."
    )
    log: Annotated[tuple[TrackerName, ...], Field(strict=False)] = Field(
        default=(), description="Trackers that are told of the training: any of tensorboard, mlflow."
    )
