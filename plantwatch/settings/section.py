"""What a section of the settings is, and of what its fields are."""

from typing import Annotated, Final

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Port = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, lt=1)]
LISTED: Final = BeforeValidator(
    lambda value: yaml.safe_load(value) if isinstance(value, str) else value
)
"""Of a list: in the environment it is written as in the files, [1, 2]."""


class Section(BaseModel):
    """One top-level key of a config file; its fields are documented there."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
