"""Removal of personal data: e-mail addresses, phone numbers, cards, IBANs, IP addresses, national ids.

- `removal`: each value's way through rules by path, finders and the user's function
- `paths`: the rules by path
- `finders`: all finders of the chosen kinds over one text
- `emails`, `phones`, `accounts` (cards and IBANs), `addresses` (IP), `national_ids`: a finder each
"""
