"""Root causes in transcripts of other people's runs, which are labelled by people, beside the methods of others."""
