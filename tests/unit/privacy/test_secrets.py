"""Several hundred planted secrets, ways of writing in kinds of text around them; and near misses, which survive."""

from __future__ import annotations

import enum
import json
import random
import re
import string
from collections.abc import Iterator
from typing import Any

import pytest

from otel_mas.privacy.redact import REDACTED, Redactor, redact_text

# % is the secret; each is a line or more of its own.
PAIRS = """\
**Password:** %
**Password**: %
__Password:__ %
*password*: %
`password`: `%`
- [ ] Password: `%`
> password: %
1. API key: %
* **API Key** – %
API key — %
dbPass=%
DB_PASS=%
pw=%
pw: %
psk: %
db.pw = %
userPassword: %
Kennwort: %
Contraseña: %
密码：%
пароль: %
password=correct horse %
password: correct horse battery %
passphrase = correct horse %
seed phrase: abandon ability %
password := %
password => %
password -> "%"
password → %
secret key = %
“password”: “%”
set_password('%')
requests.get(u, auth=("bob", "%"))
\\u0022password\\u0022:\\u0022%\\u0022
<input type="password" name="p" value="%">
'password' => '%'
:password => '%'
["password"]="%"
if password == '%':
password: str = "%"
password: str | None = "%"
var password string = "%"
let apiKey: String = "%";
const API_KEY = `%`;
$env:API_KEY = '%'
set PASSWORD=%
export TOKEN="%"
ENV DB_PASSWORD %
machine h login bob password %
CREATE USER bob WITH PASSWORD '%'
CREATE USER bob IDENTIFIED BY '%'
the password is %
('password', '%')
os.getenv("DB_PASSWORD", "%")
Server=h;User Id=a;Password=%;
AccountName=a;AccountKey=%;EndpointSuffix=x
Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=%
tok: %
session=%
dsn=https://%@o1.ingest.sentry.io/2
sid=%
otp=%
PIN: %
userPin=%
verification code: %
webhook_url: %
password\u200b: %
pass\u200bword: %
password\ufeff=\u200b%
password： %
ｐａｓｓｗｏｒｄ＝%
password﹕%
password%3D%&a=b
a=b%26password%3D%%26c=d
%22password%22%3A%22%%22
password%253D%
password\\u003d%\\u0026a=b
{\\"password\\": \\"%\\"}
{\\\\\\"password\\\\\\": \\\\\\"%\\\\\\"}
password&quot;: &quot;%&quot;
password&#61;%
&lt;password&gt;%&lt;/password&gt;
<password>%</password>
<b>Password:</b> %
<strong>Password</strong>: %
<add key="password" value="%"/>
<add value="%" key="password"/>
<add name="db" connectionString="Server=h;Password=%;" />
<property name="db.password">%</property>
<property name="db.password" type="string" value="%"/>
<key>password</key><string>%</string>
<tr><td>password</td><td>%</td></tr>
x {"name":"DB_PASSWORD","default":"%"} y
x {"key": "api_key", "type": "string", "value": "%"} y
[{'name': 'DB_PASSWORD', 'value': '%'}]
| password | % |
| **password** | % |
//registry.npmjs.org/:_authToken=%
config set requirepass %
localhost:5432:db:bob:%
jdbc:oracle:thin:scott/%@//h:1521/x
jdbc:postgresql://h/db?user=a&password=%
"""
BLOCKS = [
    "- name: DB_PASSWORD\n  value: %\n",
    'variable "db_password" {\n  default = "%"\n}',
    "db:\n  password: |\n    %\n    more%\nhost: h",
    "password: >-\n  %\n  y%\nx: 1",
    "passwords:\n  - a%\n  - b%\nx: 1",
    "passwords:\n- %\n- %\nx: 1",
    "credentials:\n  user: bob\n  x: %\nhost: h",
    "| user | password |\n|---|---|\n| bob | % |\n| al | x% |",
    "| field | value |\n|---|---|\n| password | % |",
    "user,password\nbob,%\nal,x%",
    "password,user\n%,bob",
    "<dict>\n<key>password</key>\n<string>%</string>\n</dict>",
    "### Password\n%\n",
    "kind: Secret\nmetadata:\n  name: x\ndata:\n  foo: %\n",
    '{"password": "%"}\n{"a": 1}',
]
HEADERS = """\
Authorization: Token token="%"
Authorization: Token token="a", nonce="%"
Authorization: Bearer %
Authorization: Hawk id="x", mac="%"
Authorization: AWS4-HMAC-SHA256 Credential=x/y, SignedHeaders=h, Signature=%
**Authorization:** Bearer %
Proxy-Authorization: Basic %
Authorization%3A%20Basic%20%
X-Api-Key: %
X-Vault-Token: %
PRIVATE-TOKEN: %
Cookie: a=b; session=%
Cookie: session="%"; x=y
Set-Cookie: sid=%; Path=/
JSESSIONID=%
PHPSESSID=%; path=/
sessionid=%
connect.sid=%
"""
URLS = """\
https://%@github.com/x/y.git
https://%:x-oauth-basic@github.com/x
https://bob:%@h/x
redis://:%@h
amqp://u:%@h
git clone https://oauth2:%@gitlab.com/x
https://hooks.slack.com/services/T0AB12CD3/B0AB12CD3/%
https://hooks.slack.com/workflows/T0AB12CD3/A0/1/%
https://discord.com/api/webhooks/123456789/%
https://discordapp.com/api/v10/webhooks/123456789/%
https://x.webhook.office.com/webhookb2/aa-bb@cc/IncomingWebhook/%/dd
https://outlook.office.com/webhook/aa-1@cc/IncomingWebhook/%/dd
https://prod-1.westus.logic.azure.com/workflows/a/triggers/manual/paths/invoke?sp=x&sig=%
https://open.feishu.cn/open-apis/bot/v2/hook/%
https://chat.example.com/hooks/%
https://hooks.zapier.com/hooks/catch/123/%
https://maker.ifttt.com/trigger/x/with/key/%
https://chat.googleapis.com/v1/spaces/AAA/messages?key=k%&token=%
https://oapi.dingtalk.com/robot/send?access_token=%
https://a.blob.core.windows.net/c/b?sv=2020&sig=%&se=1
https://s3/x?X-Amz-Signature=%&b=1
https://s3/x?X-Amz-Security-Token=%
https://storage/x?X-Goog-Signature=%
https://f.azurewebsites.net/api/x?code=%
https://maps.googleapis.com/x?key=%
"""
COMMANDS = """\
curl -u bob:% https://h
curl -s -u 'bob:%' https://h
curl https://h --user "bob:%"
curl -H 'X-Api-Key: %' https://h
wget --user=a --password=% h
http -a bob:% example.org
mysql -u root -p% db
sshpass -p % ssh h
redis-cli -h h -a %
mongosh -u a -p % x
docker login -u a -p % reg
openssl enc -pass pass:%
tool --api-key % --verbose
tool --password=% file
"""
TOKENS = """\
hvs.CAESI% lin_api_% GOCSPX-% github_pat_% ghp_% glpat-% npm_% pypi-A% dop_v1_% sk-ant-api03-% sk-proj-% xai-%
gsk_% r8_% tvly-% lsv2_pt_% sbp_% figd_% ntn_1% shpat_% rk_live_% SG.%.% key-% dp.pt.% glsa_% NRAK-% ATATT3x% dapi%
sgp_% pul-% AGE-SECRET-KEY-1Q% hf_% pplx-% nvapi-% xoxb-1-% xapp-1-% AIzaSy% ya29.% AKIA1% whsec_% phx_% pcsk_%
sntryu_% tskey-auth-% PMAK-% rdme_% rubygems_% ABSK% HRKU-AA% sq0atp-% shippo_live_% dckr_pat_% llx-% jina_% nfp_%
sb_secret_% vcp_% EZAK% eyJhbGciOi.%.% pk-lf-% dt0c01.%.% ops_eyJ% CLOJARS_% xkeysib-% pscale_pw_% fo1_% wandb_v1_%
tgp_v1_% LTAI% AKID% bot6012345678:AA%
"""
AROUND = [
    "%",
    "Please note this first.\n%\nand then this.",
    "Übung — naïve café 你好\n%\n",
    '{"text": %}',
    '[{"role": "user", "content": %}]',
]


def _planted() -> Iterator[tuple[str, str]]:
    """A text, and the secret in it."""
    draw = random.Random(9)
    ways = [line for some in (PAIRS, HEADERS, URLS, COMMANDS) for line in some.splitlines()] + BLOCKS + TOKENS.split()
    for number, way in enumerate(ways):
        for around in AROUND[number % 2 :: 2] if number % 3 else AROUND:
            secret = "".join(draw.choices("0123456789abcdef", k=32))
            secret = draw.choice(string.digits[1:]) + "a" + secret[2:]
            if "AKIA" in way or "AGE-" in way or "LTAI" in way or "AKID" in way:
                secret = secret.upper()
            text = re.sub(r"%(?![0-9A-F]{2}|3D|25)", lambda _, found=secret: found, way)
            yield (around.replace("%", json.dumps(text) if around[0] in "{[" else text)), secret


def test_no_planted_secret_survives_and_the_text_around_it_does() -> None:
    planted = list(_planted())
    assert len(planted) > 600
    failures = []
    for text, secret in planted:
        clean = redact_text(text)
        lost = [
            word
            for word in ("Please note this first.", "and then this.", "Übung — naïve café 你好", '"role"')
            if word in text and word not in clean
        ]
        if secret in clean or REDACTED not in clean or lost or redact_text(clean) != clean:
            failures.append((text, clean))
    assert not failures


class Key(enum.Enum):
    PASSWORD = 1
    OTHER = "api_key"


@pytest.mark.parametrize(
    "value",
    [
        {b"password": "hunter2"},
        {Key.PASSWORD: "hunter2"},
        {Key.OTHER: "hunter2"},
        {("db", "password"): "hunter2"},
        {"ｐａｓｓｗｏｒｄ": "hunter2"},
        {"pass\u200bword": "hunter2"},
        {"pw": "hunter2"},
        {"dbPass": "hunter2"},
        {"psk": "hunter2"},
        {"pin": "hunter2"},
        {"otp": "hunter2"},
        {"session": "hunter2"},
        {"tok": "hunter2"},
        {"dsn": "https://hunter2@h/1"},
        {"name": "DB_PASSWORD", "default": "hunter2"},
        {"id": "api_key", "value": {"stringValue": "hunter2"}},
        {"key": "password", "text": ["hunter2"]},
        {"Name": "DB_PASSWORD", "Value": "hunter2"},
        ["curl", "-u", "bob:hunter2"],
        ["tool", "--api-key", "hunter2"],
        '{"deep": "{\\"password\\": \\"hunter2\\"}"}',
    ],
)
def test_values_under_names_of_secrets_go_however_the_name_is_written(value: Any) -> None:
    assert "hunter2" not in repr(Redactor().value(value))


NEAR_MISSES = """\
max_tokens=512, input_tokens: 5, token_type: Bearer, 5 tokens/s
session_id=abc123def456 and session.id: 8f3a9c21, sessionId=4711abcd
gen_ai.usage.input_tokens=12 gen_ai.token.type=input mas.task.id=1f0c9b1e-9d7a-6a2f-8000-3b5a2c1d4e5f
the session: morning talk
pinned: true, pin the tweet, gpio_pin: 17, spin: 12345
docker run -u 1000:1000 img
option: design, opinion, adopt: 3, path: /a/b, side: 12345, signal: 15
cat password | sort
https://bob@dev.azure.com/x and git@github.com:a/b and ssh://git@github.com/x
https://api.github.com/repos/o/r/hooks/123
password must be at least 8 characters
commit 4bf92f3577b34da6a3ce929d0e0e4736aabbccdd by Bob
sha256:4bf92f3577b34da6a3ce929d0e0e47364bf92f3577b34da6a3ce929d0e0e4736
langgraph_step: 3, checkpoint_ns: a|b, thread_id=8b5c5f5e-5c0e-1b0f-9d7a-2f6f1a0c9e11
call_abcdefghijklmnopqrstuvwx toolu_01A09q90qw90lq917835lq9 chatcmpl-9aB1c2D3 msg_01XFDUDYJgAACzvnptvVoYEL
resp_68a1b2c3d4e5f60718 file-abc123XYZ run-8b5c5f5e-5c0e-1b0f-9d7a-2f6f1a0c9e11 lc_run--1f0c9b1e
model gpt-4o-2024-08-06 claude-sonnet-4-5-20250929 gemini-2.5-flash-preview-09-2025
arn:aws:iam::123:role/x and s.split() and dp.items() and pat.search(x)
Signature: def f(x: int) -> str
The password is required. A secret is kept. The token is valid.
name, password, and more
key: value, keys: 3, author: Bob, cookies are nice
auth: none, password: null, secret: true
check.verdict("pass", "short enough")
| token | count |
-----BEGIN CERTIFICATE----- MIIB -----END CERTIFICATE-----
00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
api_version=2024-01-01, code=5, status code: 404, exit code 1
skills: a-b-c, task-force, risk-averse-and-careful-people
"""


def test_near_misses_survive() -> None:
    assert [(line, clean) for line in NEAR_MISSES.splitlines() if (clean := redact_text(line)) != line] == []
    value = {
        "session_id": "8f3a9c21d4e57b60",
        "session.id": "8f3a9c21d4e57b60",
        "session": {"user": "bob", "turns": 3},
        "pin": "map",
        "gpio_pin": 17,
        "otp": "required",
        "tokens": 5,
        "usage": {"input_tokens": 5, "token_count": 7},
        "code": "print(1)",
        "id": "8b5c5f5e-5c0e-1b0f-9d7a-2f6f1a0c9e11",
    }
    assert Redactor().value(value) == value


def test_a_secret_is_counted_once_by_its_rule() -> None:
    redactor = Redactor()
    redactor.text("password=hunter2 and password=hunter2b, token ghp_0123456789abcdef")
    redactor.text(redactor.text("password=hunter2"))
    redactor.value({"api_key": "x", "n": {"secret": None}})
    assert redactor.drain_counts() == {"password": 3, "github": 1, "name": 1}
    assert redactor.drain_counts() == {}


def test_patterns_and_keys_of_a_user_are_taken_out_too() -> None:
    redactor = Redactor([re.compile(r"CUST-\d{6}"), re.compile(r"member no (?P<secret>\d+)")], ["iban", "Tax Id"])
    assert redactor.text("CUST-123456 has member no 77 here") == "[redacted] has member no [redacted] here"
    value = {"customerIban": "x", "iban_2": [1], "tax id": "y", "cuiban": "kept", "note": "iban: DE12 and IBAN=DE13."}
    assert redactor.value(value) == {
        "customerIban": REDACTED,
        "iban_2": REDACTED,
        "tax id": REDACTED,
        "cuiban": "kept",
        "note": "iban: [redacted] and IBAN=[redacted]",
    }
    assert redactor.drain_counts() == {"pattern-1": 1, "pattern-2": 1, "key": 2, "name": 3}
