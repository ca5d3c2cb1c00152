"""The token endpoint: an access token for an app's secret, or for an assertion it signed for a user."""

from urllib.parse import parse_qsl

from connectors.emulator.salesforce.org import Org
from connectors.emulator.salesforce.tokens import BadLogin, LoginOrg
from connectors.emulator.wire import Reply


def log_in(org: Org, form: str, authorization: str, address: str) -> Reply:
    """The reply to one token call; ``address`` is where the org is reached."""
    try:
        about = LoginOrg(org.is_sandbox, org.clock.now_ms() / 1000)
        username = org.tokens.user_of(dict(parse_qsl(form)), authorization, about)
        user_id = _user_id(org, username)
    except BadLogin as refusal:
        return refusal.reply
    return Reply(
        body={
            "access_token": org.tokens.issue(org.org_id),
            "instance_url": address,
            "id": f"https://{'test' if org.is_sandbox else 'login'}.salesforce.com/id/{org.org_id}/{user_id}",
            "token_type": "Bearer",
            "scope": "api",
            "issued_at": str(org.clock.now_ms()),
        }
    )


def _user_id(org: Org, username: str) -> str:
    if not username:
        return org.user_id
    for row in org.live("User"):
        if row.values.get("Username") == username:
            if not row.values.get("IsActive"):
                raise BadLogin("invalid_grant", "inactive user")
            return row.id
    raise BadLogin("invalid_grant", "user hasn't approved this consumer")
