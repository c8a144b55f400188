from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.settings.secrets import MASK, Secrets, mask_headers, mask_url
from tests.settings.shapes import Options


def test_urls_lose_passwords_and_tokens() -> None:
    assert mask_url("wss://u:p@h/x?a=1&access_token=abc&Api-Key=k#f") == (
        f"wss://u:{MASK}@h/x?a=1&access_token={MASK}&Api-Key={MASK}#f"
    )
    assert mask_url("wss://ghp_token@h/x") == f"wss://{MASK}@h/x"
    assert mask_url("ws://h/x?room=a@b:c") == "ws://h/x?room=a@b:c"


def test_the_code_of_a_close_is_no_credential() -> None:
    secrets = Secrets()
    secrets.add_url("ws://h/close?code=4001&key=4711")
    assert mask_url("ws://h/close?code=4001&Code=401&code=SplxlOBeZQQYbYS6WxSbIA&key=4711") == (
        f"ws://h/close?code=4001&Code=401&code={MASK}&key={MASK}"
    )
    assert secrets.mask("closed with 4001 by 4711") == f"closed with 4001 by {MASK}"


def test_headers_lose_credentials() -> None:
    names = ["Authorization", "proxy-authorization", "Cookie", "Set-Cookie", "X-Api-Key", "X-Auth-Token", "apikey"]
    assert mask_headers(dict.fromkeys(names, "hunter2")) == dict.fromkeys(names, MASK)
    assert mask_headers({"Authorization": "Bearer x", "Accept": "a"}) == {
        "Authorization": f"Bearer {MASK}",
        "Accept": "a",
    }


def test_options_give_their_secrets_away_to_the_mask_only() -> None:
    secrets = Secrets()
    secrets.add_options(
        Options(token="tok-1234", headers={"Authorization": "Bearer bear-1", "Cookie": "sid=sid-1; b=2"})
    )
    assert secrets.mask("tok-1234 bear-1 sid-1 other") == f"{MASK} {MASK} {MASK} other"


def test_a_password_is_hidden_in_its_basic_form_too() -> None:
    secrets = Secrets()
    secrets.add_url("wss://user:p%40ssword@h/")
    basic = b64encode(b"user:p@ssword").decode()
    assert secrets.mask(f"p@ssword p%40ssword {basic}") == f"{MASK} {MASK} {MASK}"
    assert secrets.mask_bytes(b"\xffp@ssword") == b"\xff" + MASK.encode()


def test_the_longer_of_two_secrets_wins() -> None:
    secrets = Secrets()
    secrets.add("secret")
    secrets.add("secret-and-more")
    assert secrets.mask("secret-and-more") == MASK
    assert secrets.mask_meta({"a": ["secret", 1, None]}) == {"a": [MASK, 1, None]}


@given(st.text(min_size=4), st.text(), st.text())
def test_a_secret_never_survives(secret: str, before: str, after: str) -> None:
    secrets = Secrets()
    secrets.add(secret)
    hidden = secret.strip()
    if len(hidden) >= 4 and not set(hidden) & set(MASK):
        assert hidden not in secrets.mask(before + secret + after)


def test_nothing_known_costs_nothing() -> None:
    secrets = Secrets()
    data = b"x"
    assert not secrets
    assert secrets.mask_bytes(data) is data


@pytest.mark.parametrize("value", ["c2VjcmV0Pz8/Pg==", "c2VjcmV0Pz8/Pg", "c2VjcmV0Pz8_Pg=="])
def test_bytes_in_metadata_are_hidden_in_every_spelling(value: str) -> None:
    secrets = Secrets()
    secrets.add_headers({"X-Token-Bin": value, "x-trace-bin": "AAECAwQF"})
    told = secrets.mask("c2VjcmV0Pz8/Pg== c2VjcmV0Pz8_Pg secret???> AAECAwQF")
    assert told.replace("=", "") == "••• ••• ••• AAECAwQF"
