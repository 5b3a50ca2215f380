"""JSONata as the interpreter asks for it: programs are parsed once, whatever their values."""

import json
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.jsonata import jsonata as moto_jsonata

from local_aws.workflow import language


@pytest.fixture(autouse=True, scope="module")
def _installed() -> None:
    language._evaluate_jsonata_without_java()


def _evaluate(expression: str, value: Any, check: str = "") -> Any:
    """As moto does: the values are declared before the expression, perhaps in a function."""
    declared = f"$v:={json.dumps(value, separators=(',', ':'))};"
    program = f"{check}({declared}{expression}){')' if check else ''}"
    return moto_jsonata.eval_jsonata_expression(program)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -1.5,
        "",
        'a "quoted" \\ line\n; $v:=1;',
        "\N{BAR CHART}",
        [],
        [None, [1], {"a": None}],
        {"a": []},
    ],
)
def test_a_value_is_what_it_was(value: Any) -> None:
    assert _evaluate("$v", value) == value
    assert _evaluate("{'it': $v}", value) == {"it": value}


def test_null_is_there_and_what_is_missing_is_not() -> None:
    assert _evaluate("$v.a", {"a": None}, "$exists(") is True
    assert _evaluate("$v.b", {"a": None}, "$exists(") is False
    assert _evaluate("$v.a = null", {"a": None}) is True


def test_whole_numbers_are_integers() -> None:
    assert json.dumps(_evaluate("$v", [1.0, 2, 2.5])) == "[1, 2, 2.5]"


def test_a_programs_own_declarations_are_its_own() -> None:
    assert _evaluate("$w:=$v+1;$v:=[$w];$v", 1) == [2]
    assert _evaluate("$add:=function($x){$x+$v};$map([1,2],$add)", 2) == [3, 4]


def test_a_program_is_parsed_once() -> None:
    _evaluate("$v.only.once", 1)
    before = language._parsed.cache_info().misses
    assert [_evaluate("$v.only.once", {"only": {"once": n}}) for n in range(3)] == [0, 1, 2]
    assert language._parsed.cache_info().misses == before


def test_what_is_no_program_is_an_error() -> None:
    with pytest.raises(moto_jsonata.JSONataException):
        _evaluate("$v +", 1)
