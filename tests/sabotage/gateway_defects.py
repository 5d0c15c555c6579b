"""Defects of the gateway: isolation (P6), bad input (P7), fairness (P12), brakes (P13)."""

from __future__ import annotations

from tests.sabotage.defects import Defect

ISOLATION = "tests/security/test_isolation.py::"
FUZZ = "tests/security/test_fuzz.py::"
WIRE = "tests/security/test_fuzz_wire.py::"
KEYS = "tests/security/test_credentials.py::"
LIMITS = "tests/unit/gateway/test_limits.py::"
SERVICES = "tests/unit/gateway/test_session_services.py::"
SEQUENCER = "tests/unit/gateway/test_sequencer.py::"
SAFEGUARDS = "tests/unit/gateway/test_safeguards.py::"
LOGS = "tests/unit/gateway/test_logs.py::"

GATEWAY_DEFECTS = (
    Defect(
        "everybody rotates everybody's keys",
        "gateway/desk/people.py",
        "if key is None or key.account != session.account:",
        "if key is None:",
        ISOLATION + "test_keys_of_others_are_answered_as_keys_of_nobody",
    ),
    Defect(
        "status tells what another was refused",
        "gateway/desk/questions.py",
        "self._turned_away.get(session.owner, {})",
        "self._turned_away.get(0, {})",
        ISOLATION + "test_status_tells_nothing_of_what_others_were_refused",
    ),
    Defect(
        "proposals of another institution can be seen by deciding",
        "gateway/desk/institutions.py",
        'if stored is None or not self._may(session, "approve", stored.action):',
        "if stored is None:",
        ISOLATION + "test_proposals_that_one_may_not_decide_are_answered_as_none",
    ),
    Defect(
        "a frame is measured in characters",
        "gateway/wire/codec.py",
        "(len(frame) > CHARACTERS_MAX and _too_big(frame))",
        "False",
        FUZZ + "test_a_frame_is_measured_in_bytes",
    ),
    Defect(
        "texts have no end",
        "gateway/wire/message_base.py",
        "Text = Annotated[str, Meta(max_length=TEXT_MAX)]",
        "Text = str",
        FUZZ + "test_no_text_is_longer_than_256_characters",
    ),
    Defect(
        "a body has no end",
        "gateway/rest/bodies.py",
        "if size > BODY_BYTES_MAX:",
        "if False:",
        WIRE + "test_a_body_of_the_allowed_size_is_read",
    ),
    Defect(
        "any number of lines may wait",
        "gateway/limits.py",
        "and self.waiting.total() < limits.lines_waiting_max",
        "and True",
        LIMITS + "test_lines_are_counted_in_all_and_per_address_until_they_log_in",
    ),
    Defect(
        "insisting is for ever",
        "gateway/limits.py",
        "return now_s - self._refused_since_s > self._abuse_within_s",
        "return False",
        SERVICES + "test_insisting_for_ten_seconds_ends_the_line",
    ),
    Defect(
        "the accounts lines have a bucket each",
        "gateway/limits.py",
        "        self._credits.append(account)",
        "        pass",
        LIMITS + "test_the_accounts_lines_share_its_bucket",
    ),
    Defect(
        "a kill waits for its turn",
        "gateway/journal/sequencer.py",
        "        self._urgent.append(self.next_seq - self._first_seq)\n",
        "",
        SEQUENCER + "test_a_kill_is_effective_within_one_batch_of_a_flood",
    ),
    Defect(
        "a lost line keeps its orders",
        "gateway/desk/safeguards.py",
        "        if lost:\n",
        "        if False:\n",
        SAFEGUARDS + "test_a_lost_line_cancels_after_its_grace",
    ),
    Defect(
        "an old signature is good",
        "gateway/keys.py",
        "return key if same and fresh else None",
        "return key if same else None",
        KEYS + "test_a_signature_ages",
    ),
    Defect(
        "a revoked key trades on",
        "gateway/desk/desk.py",
        'session.close("key_changed")',
        "pass",
        KEYS + "test_a_changed_key_ends_its_lines_and_no_others",
    ),
    Defect(
        "a client writes lines of the log",
        "gateway/logs.py",
        'return text.encode("unicode_escape").decode("ascii")',
        "return text",
        LOGS + "test_a_clients_text_cannot_forge_a_line",
    ),
)
