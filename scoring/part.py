"""What every part of a model is built from: the frozen class, and the fields that several parts share."""

from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema

from scoring.conditions import Condition, parse_condition, parse_where

T = TypeVar("T")

_CONDITION = (
    PlainSerializer(lambda condition: condition.raw),
    WithJsonSchema({"type": "object", "minProperties": 1}),
)
ConditionField = Annotated[Condition, PlainValidator(parse_condition), *_CONDITION]
WhereField = Annotated[Condition, PlainValidator(parse_where), *_CONDITION]
Bound = Annotated[int, Field(strict=True, ge=1, le=100)]


def checked(check: Callable[[T], None]) -> AfterValidator:
    """The field's value as it is, once ``check`` has not raised."""

    def validate(value: T) -> T:
        check(value)
        return value

    return AfterValidator(validate)


class Part(BaseModel):
    """What every part of a model has in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True)
