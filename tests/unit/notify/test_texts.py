from __future__ import annotations

import json

from chalicelib.notify import texts

LINK = "https://relay.example/unsubscribe/a&b"


def test_mails_come_in_both_forms_and_load_nothing() -> None:
    mails = (
        texts.new_mail("bob@mail.example", LINK),
        texts.code_mail("bob@mail.example", "12345", 10),
        texts.paused_endpoint("bob@mail.example", "ep_1"),
    )
    for mail in mails:
        assert mail.plain.endswith("\n")
        assert mail.html.startswith("<!doctype html>")
        for loading in ("src=", "<style", "<link", "url(", "@import"):
            assert loading not in mail.html


def test_the_address_stands_in_no_text() -> None:
    mail = texts.new_mail("bob@mail.example", LINK)
    assert "bob" not in mail.subject + mail.plain + mail.html


def test_the_way_out_is_in_the_header_and_in_both_forms() -> None:
    mail = texts.new_mail("bob@mail.example", LINK)
    assert mail.unsubscribe_url == LINK
    assert LINK in mail.plain
    assert 'href="https://relay.example/unsubscribe/a&amp;b"' in mail.html


def test_a_code_stands_in_the_body_and_not_in_the_subject() -> None:
    """Subjects are shown on lock screens."""
    mail = texts.code_mail("bob@mail.example", "12345", 10)
    assert "12345" not in mail.subject
    assert "12345" in mail.plain
    assert "12345" in mail.html
    assert texts.code_sms("12345", 10).startswith("12345")


def test_what_is_embedded_is_escaped() -> None:
    assert "<b>" not in texts.paused_endpoint("bob@mail.example", "<b>").html


def test_a_push_has_the_members_that_the_reference_s_service_worker_shows() -> None:
    assert json.loads(texts.PUSH_PAYLOAD).keys() == {"title", "body"}
