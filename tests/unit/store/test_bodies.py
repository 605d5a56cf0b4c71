from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.aws.clients import Patience, client
from chalicelib.protocol.errors import Unavailable
from chalicelib.store.bodies import Bodies, BodyMissing, S3Bodies, bodies_of_removed, random_name
from tests.support.hostile_server import hostile_server
from tests.support.stores import BUCKET, CREDENTIALS, REGION, Aws


@pytest.fixture
def bodies(aws: Aws) -> Bodies:
    return aws.bodies


def test_a_body_is_kept_under_a_new_name_each_time(bodies: Bodies) -> None:
    first, second = bodies.put(b"sealed"), bodies.put(b"sealed")
    assert first != second
    assert bodies.get(first) == bodies.get(second) == b"sealed"
    bodies.delete([first, "no-such-body"])
    assert bodies.get(second) == b"sealed"
    with pytest.raises(BodyMissing):
        bodies.get(first)


def test_names_come_from_where_one_wants(aws: Aws) -> None:
    assert aws.s3 is not None
    assert S3Bodies(aws.s3, BUCKET, new_name=lambda: "pinned").put(b"x") == "pinned"
    assert len({random_name() for _ in range(100)}) == 100
    assert all(len(random_name()) == 32 for _ in range(10))


def test_more_than_a_thousand_are_deleted_in_several_requests(aws: Aws, bodies: Bodies) -> None:
    assert aws.s3 is not None
    requests: list[int] = []

    def note(params: dict[str, dict[str, list[object]]], **_: object) -> None:
        requests.append(len(params["Delete"]["Objects"]))

    aws.s3.meta.events.register("before-parameter-build.s3.DeleteObjects", note)
    bodies.delete([f"body-{n}" for n in range(1001)])
    bodies.delete([])
    assert requests == [1000, 1]


def test_a_body_that_could_not_be_deleted_is_told(aws: Aws, bodies: Bodies) -> None:
    assert aws.s3 is not None

    def refuse(parsed: dict[str, object], **_: object) -> None:
        parsed["Errors"] = [{"Key": "x", "Code": "AccessDenied"}]

    aws.s3.meta.events.register("after-call.s3.DeleteObjects", refuse)
    with pytest.raises(Unavailable):
        bodies.delete(["x"])


def test_a_bucket_that_is_not_there_loses_nothing(aws: Aws) -> None:
    assert aws.s3 is not None
    nowhere = S3Bodies(aws.s3, "no-such-bucket")
    with pytest.raises(Unavailable):
        nowhere.get("x")  # not BodyMissing: the bodies may be in the bucket the operator meant
    with pytest.raises(Unavailable):
        nowhere.put(b"x")


def test_a_body_that_breaks_off_may_be_read_again() -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"
    with hostile_server(half) as url:
        s3 = client(
            "s3", region=REGION, endpoint_url=url, credentials=CREDENTIALS, patience=Patience(attempts=1)
        )
        with pytest.raises(Unavailable):
            S3Bodies(s3, BUCKET).get("x")
        s3.close()


def test_a_mistake_of_ours_is_not_hidden_as_unavailable(aws: Aws, bodies: Bodies) -> None:
    assert aws.s3 is not None

    def mistake(**_: object) -> None:
        raise ZeroDivisionError

    aws.s3.meta.events.register("before-call.s3.GetObject", mistake)
    with pytest.raises(ZeroDivisionError):
        bodies.get("x")


_images = st.fixed_dictionaries({"pk": st.just({"B": "eA=="})}, optional={"body": st.just({"S": "name"})})


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "eventName": st.sampled_from(["INSERT", "MODIFY", "REMOVE"]),
                "dynamodb": st.fixed_dictionaries({"OldImage": _images}),
            }
        )
    )
)
def test_only_bodies_of_removed_items_go(records: list[dict[str, object]]) -> None:
    expected = sum(
        record["eventName"] == "REMOVE" and "'body'" in repr(record["dynamodb"]) for record in records
    )
    assert bodies_of_removed(records) == ("name",) * expected


def test_an_inserted_item_has_no_old_image() -> None:
    assert bodies_of_removed([{"eventName": "INSERT", "dynamodb": {"Keys": {}}}]) == ()
