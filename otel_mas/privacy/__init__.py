"""Redaction of what is stored, and the policy for what leaves the machine.

- `stored`: the treatment of each attribute and content before it is stored, by content mode
- `plain_values`: cutting of long texts, and bytes in JSON
- `redact`: secrets in text and values, by `secret_names`, `secret_text` with `secret_lines`, and `token_shapes`
- `withhold`: content taken out of encoded spans that leave
- `policy`: the rule for the name of an attribute, which `stored` and `withhold` share
"""
