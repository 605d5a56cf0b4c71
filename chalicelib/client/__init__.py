"""The SDK: build a profile, send, receive, verify, acknowledge. Needs neither Chalice nor AWS.

`Dm3Client` does the work for one `Identity`; see docs/sdk.md for the first message in ten lines. Every error
is a `Dm3Error` (`chalicelib.protocol.errors`).
"""

from chalicelib.client.client import Dm3Client, Settings, SystemEntropy
from chalicelib.client.drafts import (
    Draft,
    attach,
    delete_request,
    edit,
    new,
    reaction,
    read_opened,
    read_receipt,
    read_received,
    reply,
    resend_request,
)
from chalicelib.client.http import HttpTransport
from chalicelib.client.identity import Identity, Signer
from chalicelib.client.key_file import StoredKeys, load_keys, save_keys
from chalicelib.client.live import Following
from chalicelib.client.live_conversation import LiveTiming
from chalicelib.client.live_events import LiveState, Standing
from chalicelib.client.live_socket import LiveDialer, LiveSocket, NoLiveConnections, WebSocketDialer
from chalicelib.client.notifications import ChannelType, NotificationSettings, QuietHours
from chalicelib.client.outbox import FileOutbox, MemoryOutbox, Outbox
from chalicelib.client.own_rules import KeptRules, OwnRules
from chalicelib.client.patience import Patience
from chalicelib.client.transport import MemoryTransport, Request, Response, Transport
from chalicelib.client.values import (
    AccountStatus,
    Check,
    Contact,
    FormerKey,
    InboxPage,
    Queued,
    Received,
    Refused,
    Sent,
    Unreached,
    Unreadable,
    Verdict,
)
from chalicelib.client.wallet import Wallet
from chalicelib.client.webhooks import (
    KeptWebhooks,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WebhookLog,
    Webhooks,
)
from chalicelib.client.welcome import Condition, Unwelcome, Welcome
from chalicelib.protocol.envelope import Revision
from chalicelib.protocol.errors import Dm3Error
from chalicelib.protocol.message import Attachment, Message, MessageType

__all__ = [
    "AccountStatus",
    "Attachment",
    "ChannelType",
    "Check",
    "Condition",
    "Contact",
    "Dm3Client",
    "Dm3Error",
    "Draft",
    "FileOutbox",
    "Following",
    "FormerKey",
    "HttpTransport",
    "Identity",
    "InboxPage",
    "KeptRules",
    "KeptWebhooks",
    "LiveDialer",
    "LiveSocket",
    "LiveState",
    "LiveTiming",
    "MemoryOutbox",
    "MemoryTransport",
    "Message",
    "MessageType",
    "NoLiveConnections",
    "NotificationSettings",
    "Outbox",
    "OwnRules",
    "Patience",
    "Queued",
    "QuietHours",
    "Received",
    "Refused",
    "Request",
    "Response",
    "Revision",
    "Sent",
    "Settings",
    "Signer",
    "Standing",
    "StoredKeys",
    "SystemEntropy",
    "Transport",
    "Unreached",
    "Unreadable",
    "Unwelcome",
    "Verdict",
    "Wallet",
    "WebSocketDialer",
    "Webhook",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookLog",
    "Webhooks",
    "Welcome",
    "attach",
    "delete_request",
    "edit",
    "load_keys",
    "new",
    "reaction",
    "read_opened",
    "read_receipt",
    "read_received",
    "reply",
    "resend_request",
    "save_keys",
]
