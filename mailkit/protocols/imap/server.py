"""
The server's side of IMAP as a machine without I/O (RFC 9051 §3, §6).

How a session drives it::

    machine = IMAPServer(limits)
    machine.greet(ok("mail.example.org", codes.capability(…)))   # or PREAUTH, or bye()
    event = machine.next_event()        # one at a time; None: more octets are needed
    machine.send_untagged(octets, …)    # whole untagged responses made by write/, or
                                        # pieces of one: a literal may go in many
    machine.answer(ok("Done", code))    # the tagged response: exactly one a command

Between a command and its answer stand, where the RFC has it so:

* `Authenticate`, `AuthResponse`: ``challenge(octets)`` instead of the answer, then
  `AuthResponse` or `AuthCancelled` comes.
* `AppendBegins`: ``accept_literal()`` instead of the answer, then `AppendChunk` (no
  answer), and `AppendEnds` or `AppendAborted` (answer). A refusal is an answer to
  `AppendBegins`: octets that come nevertheless (LITERAL+) are swallowed, up to
  ``limits.swallowed``, beyond which comes `HangUp`.
* `Idle`: ``continue_(text)``, then ``send_untagged`` at any time, then `Done` (answer).
* `Enable`: ``enable(names)`` for those that this server turns on, then the answer.
* `StartTLS`: the answer OK, then ``IPeer.start_tls``, which calls ``secured()``.
* `Logout`, `HangUp`: ``bye(text)``; the first is then answered, the second is not.

The state moves when the tagged response goes out, never when a command comes in.
Malformed commands, and those that the state does not allow, the machine answers
itself with BAD (or NO [BADCHARSET]); a session never sees them.
"""
