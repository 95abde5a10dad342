"""People: how they sign in, stay signed in, and are written to.

Words. A *person* has one e-mail address and one password. A *session* is one browser in which the person is signed in;
it can be listed and revoked. A *link* in a mail confirms an address or resets a password, once. An *API token* lets a
program act for a person. The *outbox* holds every mail that left or waits.

Promises. Passwords are kept as Argon2 hashes; session cookies, links and tokens as SHA-256 of 256 random bits, so that
a stolen database signs nobody in. Nobody learns from any answer, nor from its time, whether an address has an account.

Which company a person acts for is said one floor up, in `exchange.companies`.
"""
