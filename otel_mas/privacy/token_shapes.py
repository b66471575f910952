"""API tokens that are known by their prefix: a table, and the search for all of them at once.

Sources: the vendors' documentation, and the rules of gitleaks (8.x, `config/gitleaks.toml`) and detect-secrets (1.5),
read for names and prefixes. Bodies are looser than theirs: what is a token of tomorrow's length is one today.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from functools import cache

_BODY = r"[\w-]{12,}"
_DOTTED = r"[\w.~+/=-]{12,}"
_ANY_DIGIT = r"(?=[\w-]*\d)[\w-]{12,}"

# Rule → its prefixes with blanks between, and what follows each of them.
_TOKENS: dict[str, tuple[str, str]] = {
    "1password": ("ops_eyJ A3-", r"[\w+/=-]{20,}"),
    "adobe": ("p8e-", r"[A-Za-z0-9]{24,}"),
    "age": ("AGE-SECRET-KEY-1", r"[A-Z0-9]{12,}"),
    "airtable": ("pat", r"[A-Za-z0-9]{14}\.[A-Za-z0-9]{16,}"),
    "alibaba": ("LTAI", r"[A-Za-z0-9]{12,}"),
    "artifactory": ("AKCp cmVmd", r"[A-Za-z0-9]{20,}"),
    "atlassian": ("ATATT ATCTT ATBB ATSTT", r"[\w=-]{16,}"),
    "aws": ("AKIA ABIA ACCA", r"[0-9A-Z]{12,}"),
    "aws-session": ("ASIA", r"[0-9A-Z]{16,}"),
    "aws-bedrock": ("ABSK bedrock-api-key-", r"[A-Za-z0-9+/=]{16,}"),
    "cloudflare": ("v1.0-", r"[a-f0-9]{24}-[a-f0-9]{16,}"),
    "clojars": ("CLOJARS_", _BODY),
    "cohere": ("co_", r"(?=[A-Za-z]*\d)[A-Za-z0-9]{32,}"),
    "databricks": ("dapi dkea dose", r"[a-f0-9]{24,}(?:-\d)?"),
    "datadog": ("ddapp_ ddpat_", _BODY),
    "digitalocean": ("dop_v1_ doo_v1_ dor_v1_", _BODY),
    "discord": ("MT Mz Mj ND NT Nj Nz OD OT", r"[\w-]{20,28}\.[\w-]{6}\.[\w-]{25,}"),
    "docker": ("dckr_pat_ dckr_oat_", _BODY),
    "doppler": ("dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", r"[\w.-]{12,}"),
    "duffel": ("duffel_live_ duffel_test_", _BODY),
    "dynatrace": ("dt0c01. dt0s01. dt0s02. dt0s16.", r"[\w.-]{16,}"),
    "easypost": ("EZAK EZTK", r"[A-Za-z0-9]{20,}"),
    "elevenlabs": ("sk_", r"(?=[a-f0-9]*\d)[a-f0-9]{32,}"),
    "facebook": ("EAAC EAAM EAAG EAAB", r"[A-Za-z0-9]{24,}"),
    "figma": ("figd_ figo_", _BODY),
    "flutterwave": ("FLWSECK_TEST- FLWSECK- FLWPUBK_TEST-", _BODY),
    "fly": ("fo1_ fm1a_ fm1r_ fm2_", r"[\w+/=-]{16,}"),
    "frameio": ("fio-u-", r"[\w=-]{16,}"),
    "github": ("ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"\w{10,}"),
    "gitlab": (
        "glpat- glptt- gldt- glrt- glrtr- glcbt- glft- glffct- glimt- glagent- gloas- glsoat- glwt- GR1348941",
        r"[\w.-]{12,}",
    ),
    "google": ("AIza", r"[\w-]{20,}"),
    "google-oauth": ("GOCSPX- ya29. 1//0", r"[\w-]{16,}"),
    "google-gemini": ("AQ.A", r"[\w-]{24,}"),
    "grafana": ("glsa_ glc_", r"[\w+/=]{16,}"),
    "groq": ("gsk_", _BODY),
    "harness": ("pat. sat.", r"[\w-]{16,}\.[\w.-]{20,}"),
    "heroku": ("HRKU-", _BODY),
    "huggingface": ("hf_ api_org_", _BODY),
    "infracost": ("ico-", r"[A-Za-z0-9]{24,}"),
    "intercom": ("dG9rO", r"[A-Za-z0-9+/=]{24,}"),
    "jwt": ("eyJ", r"[\w-]{5,2048}+\.[\w-]{4,}(?:\.[\w-]*)*"),
    "jina": ("jina_", _BODY),
    "langfuse": ("sk-lf- pk-lf-", _BODY),
    "langsmith": ("lsv2_ ls__", _BODY),
    "linear": ("lin_api_ lin_oauth_ lin_wh_", _BODY),
    "llama-cloud": ("llx-", _BODY),
    "logfire": ("pylf_v", r"\d+_[\w-]{12,}"),
    "mailgun": ("key- pubkey-", r"[\w-]{12,}"),
    "mapbox": ("sk.eyJ pk.eyJ tk.eyJ", r"[\w.-]{16,}"),
    "netlify": ("nfp_ nfc_ nfo_ nfu_", _BODY),
    "new-relic": ("NRAK- NRJS- NRIQ- NRRA- NRII- NRAL- NRAA-", r"[A-Za-z0-9-]{12,}"),
    "notion": ("ntn_ secret_", r"(?=[A-Za-z]*\d)[A-Za-z0-9]{24,}"),
    "npm": ("npm_", _BODY),
    "nvidia": ("nvapi-", _BODY),
    "numbered": (
        "key- key_ token- token_ secret- secret_",
        r"(?:[a-z]{2,8}[-_]){0,3}(?=[A-Za-z]*\d)[A-Za-z0-9]{16,}",
    ),
    "octopus": ("API-", r"(?=[A-Z]*\d)[A-Z0-9]{24,}"),
    "openshift": ("sha256~", r"[\w-]{24,}"),
    "perplexity": ("pplx-", _BODY),
    "pinecone": ("pcsk_", _BODY),
    "planetscale": ("pscale_tkn_ pscale_pw_ pscale_oauth_ pscale_app_secret_", r"[\w=.-]{12,}"),
    "postgres-neon": ("napi_ npg_", r"[A-Za-z0-9]{10,}"),
    "posthog": ("phx_ phs_ phc_", _BODY),
    "postman": ("PMAK-", r"[a-f0-9-]{20,}"),
    "prefect": ("pnu_ pnb_", r"[A-Za-z0-9]{20,}"),
    "pulumi": ("pul-", r"[a-f0-9]{24,}"),
    "pypi": ("pypi-", r"(?=[\w-]*[A-Z0-9_])[\w-]{16,}"),
    "readme": ("rdme_", _BODY),
    "replicate": ("r8_", _BODY),
    "resend": ("re_", r"(?=\w*\d)[A-Za-z0-9]{6,}_[A-Za-z0-9]{12,}"),
    "rubygems": ("rubygems_", _BODY),
    "scalingo": ("tk-us-", r"[\w-]{24,}"),
    "sendgrid": ("SG.", r"[\w-]{16,}\.[\w-]{16,}"),
    "sendinblue": ("xkeysib- xsmtpsib-", _BODY),
    "sentry": ("sntrys_ sntryu_ sntrya_", r"[\w+/=-]{16,}"),
    "settlemint": ("sm_aat_ sm_pat_ sm_sat_", _BODY),
    "shippo": ("shippo_live_ shippo_test_", _BODY),
    "shopify": ("shpat_ shpca_ shppa_ shpss_ shpua_", _BODY),
    "sk": ("sk-", r"(?:(?=[A-Za-z_-]*\d)[\w-]{8,}|[\w-]{16,})"),
    "slack": ("xoxa- xoxb- xoxc- xoxd- xoxe- xoxo- xoxp- xoxr- xoxs- xoxe.xox xapp- xwfp-", r"[\w%.-]{8,}"),
    "sourcegraph": ("sgp_ slk_ sgd_", r"[\w]{16,}"),
    "square": ("EAAA sq0atp- sq0csp- sq0idp-", r"[\w-]{16,}"),
    "stripe": ("sk_live_ sk_test_ sk_prod_ rk_live_ rk_test_ rk_prod_ pk_live_ pk_test_ whsec_", r"\w{10,}"),
    "supabase": ("sbp_ sb_secret_ sb_publishable_", _BODY),
    "tailscale": ("tskey-", _BODY),
    "tavily": ("tvly-", _BODY),
    "tencent": ("AKID", r"[A-Za-z0-9]{24,}"),
    "together": ("tgp_v1_", _BODY),
    "twilio": ("SK", r"[0-9a-fA-F]{32}"),
    "typeform": ("tfp_", r"[\w.=-]{24,}"),
    "vault": ("hvs. hvb. hvr.", r"[\w-]{12,}"),
    "vault-legacy": ("s.", r"(?=[A-Za-z]*\d)[A-Za-z0-9]{24}(?![A-Za-z0-9])"),
    "vercel": ("vercel_ vcp_ vck_ vci_ vca_ vcr_", _ANY_DIGIT),
    "volcengine": ("AKLT", r"[A-Za-z0-9]{20,}"),
    "voyage": ("pa-", r"(?=[\w-]*\d)[\w-]{32,}"),
    "wandb": ("wandb_v1_", _BODY),
    "xai": ("xai-", _BODY),
    "yandex": ("AQVN t1.9eu", _DOTTED),
}


@cache
def _compiled(body: str) -> re.Pattern[str]:
    return re.compile(body, re.ASCII)  # where it is needed: all of them take 20 ms


def _any_of(prefixes: list[str]) -> str:
    """An alternation that decides by the first character, since `re` would try one prefix after the other."""
    first: dict[str, list[str]] = {}
    for prefix in sorted(prefixes, key=len, reverse=True):
        first.setdefault(prefix[:1], []).append(re.escape(prefix[1:]))
    return "|".join(f"{re.escape(char)}(?:{'|'.join(rest)})" for char, rest in first.items())


_BY_PREFIX: dict[str, list[tuple[str, str]]] = {}
for _rule, (_prefixes, _body) in _TOKENS.items():
    for _prefix in _prefixes.split():
        _BY_PREFIX.setdefault(_prefix, []).append((_rule, _body))
_ANYWHERE = re.compile(_any_of(list(_BY_PREFIX)))
_AT_WORDS = re.compile(f"(?<![A-Za-z0-9])(?:{_ANYWHERE.pattern})")
_TOKEN_CHARS = frozenset(string.ascii_letters + string.digits + "_-")
_TOKEN_BYTES = bytes(ord("x") if chr(code) in _TOKEN_CHARS else ord(" ") for code in range(256))
_MIN_TOKEN = b"x" * 11
_LONGEST_HEAD = 16  # characters before such a row that can be of a token: `dt0c01.`, the first part of a short JWT


def tokens(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and rule of each token in a text, in order."""
    escapes = "\\" in text or "%" in text
    prefix = _ANYWHERE if escapes else _AT_WORDS
    done = 0
    for first, last in _runs(text):
        found = prefix.search(text, max(first, done), last)
        while found is not None:
            start, after = found.span()
            end, rule = 0, ""
            if not escapes or not start or not text[start - 1].isalnum() or _escaped(text, start):
                end, rule = _token(text, found.group(), after)
                if end:
                    yield start, end, rule
                    done = end
            found = prefix.search(text, end or start + 1, last)


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """The parts of a text with enough letters, digits, `_` and `-` in a row for a token.

    Ordinary text has few, and `bytes.translate` with `find` is twenty times as fast as a regular expression.
    """
    marked = text.encode("latin-1", "replace").translate(_TOKEN_BYTES)
    start = marked.find(_MIN_TOKEN)
    while start >= 0:
        end = marked.find(b" ", start)
        end = len(marked) if end < 0 else end
        yield max(0, start - _LONGEST_HEAD), end
        start = marked.find(_MIN_TOKEN, end)


def _token(text: str, prefix: str, after: int) -> tuple[int, str]:
    """End and rule of the token whose longest known prefix this is; the end is 0 where it is none."""
    for size in range(len(prefix), 1, -1):  # `sk-lf-` is of Langfuse, and else a key that begins with `sk-`
        for rule, body in _BY_PREFIX.get(prefix[:size], ()):
            match = _compiled(body).match(text, after - len(prefix) + size)
            if match is not None:
                return match.end(), rule
    return 0, ""


def _escaped(text: str, start: int) -> bool:
    r"""Whether the letter before is of an escape, such as `\n` or `%20`."""
    return text[start - 2 : start - 1] == "\\" or (start > 2 and text[start - 3] == "%")


__all__ = ["tokens"]
