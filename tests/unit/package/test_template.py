from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from infra.package.errors import PackagingError
from infra.package.template import assemble, write


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    directory = tmp_path / "template"
    directory.mkdir()
    return directory


def say(parts: Path, name: str, text: str) -> None:
    (parts / f"{name}.yaml").write_text(dedent(text))


def test_short_tags_become_what_they_stand_for(parts: Path) -> None:
    say(
        parts,
        "a",
        """
        Ref: !Ref Table
        Arn: !GetAtt Table.StreamArn
        Text: !Sub 'arn:${Table}'
        Nested: !If [Has, !Sub ['${a}', {a: !Ref B}], !Ref 'AWS::NoValue']
        Mapped: !Transform {Name: x, Parameters: {y: !Ref Z}}
        Decided: !Condition Has
        """,
    )
    assert assemble(parts) == {
        "Ref": {"Ref": "Table"},
        "Arn": {"Fn::GetAtt": ["Table", "StreamArn"]},
        "Text": {"Fn::Sub": "arn:${Table}"},
        "Nested": {
            "Fn::If": ["Has", {"Fn::Sub": ["${a}", {"a": {"Ref": "B"}}]}, {"Ref": "AWS::NoValue"}],
        },
        "Mapped": {"Fn::Transform": {"Name": "x", "Parameters": {"y": {"Ref": "Z"}}}},
        "Decided": {"Condition": "Has"},
    }


def test_parts_complete_each_other_at_any_depth(parts: Path) -> None:
    say(parts, "a", "Resources: {F: {Type: T, Properties: {A: 1}}}")
    say(parts, "b", "Resources: {F: {Type: T, Properties: {B: [2]}}, G: {}}")
    assert assemble(parts) == {"Resources": {"F": {"Type": "T", "Properties": {"A": 1, "B": [2]}}, "G": {}}}


@pytest.mark.parametrize(
    ("one", "other", "twice"),
    [
        (
            "Resources: {F: {Properties: {A: 1}}}",
            "Resources: {F: {Properties: {A: 1}}}",
            "Resources/F/Properties/A",
        ),
        ("Resources: {F: {A: [1]}}", "Resources: {F: {A: [2]}}", "Resources/F/A"),
        ("Resources: {F: {A: {}}}", "Resources: {F: {A: 1}}", "Resources/F/A"),
        ("Resources: {F: {Type: S}}", "Resources: {F: {Type: T}}", "Resources/F/Type"),
    ],
)
def test_nothing_is_said_twice(parts: Path, one: str, other: str, twice: str) -> None:
    say(parts, "a", one)
    say(parts, "b", other)
    with pytest.raises(PackagingError, match=rf"^b\.yaml: {twice} is said twice$"):
        assemble(parts)


def test_a_part_is_repeated_for_each_row(parts: Path) -> None:
    say(
        parts,
        "queues",
        """
        ForEach:
          - {name: Email, delay: 30, only_if: SendsMail}
          - {name: Push, delay: 0, only_if: null}
        Resources:
          <name>Queue:
            Condition: <only_if>
            Properties: {DelaySeconds: <delay>, Policy: [!GetAtt <name>Queue.Arn], Note: waits <delay> s}
        """,
    )

    def queue(name: str, delay: int) -> dict[str, object]:
        return {
            "DelaySeconds": delay,
            "Policy": [{"Fn::GetAtt": [f"{name}Queue", "Arn"]}],
            "Note": f"waits {delay} s",
        }

    assert assemble(parts) == {
        "Resources": {
            "EmailQueue": {"Condition": "SendsMail", "Properties": queue("Email", 30)},
            "PushQueue": {"Properties": queue("Push", 0)},
        }
    }


def test_what_is_null_without_a_row_stays(parts: Path) -> None:
    say(parts, "a", "ForEach: [{x: 1}]\nKept: null\nOf: <x>")
    assert assemble(parts) == {"Kept": None, "Of": 1}


@pytest.mark.parametrize("text", ["A: <nme>", "<nme>Queue: 1", "A: [x <nme>]"])
def test_a_column_that_no_row_has_is_a_mistake(parts: Path, text: str) -> None:
    say(parts, "a", f"ForEach: [{{name: X}}]\n{text}")
    with pytest.raises(PackagingError, match=r"^a\.yaml: no column is called nme$"):
        assemble(parts)


def test_rows_of_the_same_name_are_a_mistake(parts: Path) -> None:
    say(parts, "a", "ForEach: [{name: X}, {name: X}]\n<name>Queue: 1")
    with pytest.raises(PackagingError, match="XQueue is said twice"):
        assemble(parts)


def test_what_is_no_yaml_is_named(parts: Path) -> None:
    say(parts, "a", "A: [")
    with pytest.raises(PackagingError, match=r"^a\.yaml: "):
        assemble(parts)


def test_the_written_file_is_plain_and_says_the_same(parts: Path, tmp_path: Path) -> None:
    say(parts, "a", "A: &x {B: 1}\nC: *x\nD: !Ref E")
    file = write(parts, tmp_path / "out" / "merge.yaml")
    assert yaml.safe_load(file.read_text()) == {"A": {"B": 1}, "C": {"B": 1}, "D": {"Ref": "E"}}
    assert "&" not in file.read_text()
