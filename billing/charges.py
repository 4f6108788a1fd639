"""Fee lines (P6▲, S3): what the HIS says that an exam's film costs, and whether that is settled.

A line is written by its fee line id, any number of times. While it is unpaid the HIS may change it;
afterwards a change is kept out and noted for a person, since money has moved by the old one.
"""

from billing import prices, settle, told
from core import db, problems
from core.clock import now
from core.commands import FeeLine, SettleFee
from core.errors import Conflict
from core.models import Charge, Exam

# How an exam's fee may stand for its film to be given out.
SETTLED = frozenset({"paid", "waived", "included"})


def record_fee_line(line: FeeLine, exam: Exam) -> Charge:
    """Write the line of `exam`, apply payments that came before it, and return its row as it then is.

    A line of a cancelled order begins cancelled. An amount that differs from the price list is recorded as
    told, since the HIS is master of the price, and noted for a person.
    """
    with db.transaction():
        known = told.lock_line(line.fee_line_id)
        if known is None:
            _create(line, exam)
            prices.compare(line, exam.ordered_at or now())
        elif known.exam_id not in (None, exam.id):
            _note(line, "it came with another exam before; the first one keeps it")
        elif known.state == "unpaid":
            _update(known, line, exam)
        elif (known.amount_fen, known.choice) != (line.amount_fen, line.choice):
            _note(
                line,
                f"the HIS changed amount or choice, but the line is {known.state}; it was kept as it was",
            )
        if line.paid and line.choice == "charge":
            _settle_as_told(line)
        settle.apply_waiting(line.fee_line_id)
        return Charge.get(Charge.fee_line_id == line.fee_line_id)


def fee_state(exam: Exam) -> str:
    """paid | waived | included | unpaid | refunded | none.

    An exam without any line is `none` and waits for its order: images and report may come first, and what is
    published cannot be taken back. One whose lines were all given back is `refunded` and waits too, unless it was
    waived besides; beside a line that was charged anew, the refunded one no longer counts.
    """
    known = [line for line in Charge.all_with(Charge.exam == exam) if line.state != "cancelled"]
    lines = [line for line in known if line.state != "refunded" or line.choice != "charge"]
    if not lines:
        return "refunded" if known else "none"
    if any(_is_owed(line) for line in lines):
        return "unpaid"
    if any(line.state == "paid" for line in lines):
        return "paid"
    return "included" if all(line.choice == "included" for line in lines) else "waived"


def is_fee_settled(exam: Exam) -> bool:
    """Whether the film may be given out as far as money is concerned."""
    return fee_state(exam) in SETTLED


def amount_due(exam: Exam) -> int | None:
    """What is still owed, in fen; None when nothing is."""
    owed = [line.amount_fen for line in Charge.select().where(Charge.exam == exam) if _is_owed(line)]
    return sum(owed) if owed else None


def cancel_for_exam(exam: Exam) -> None:
    """Cancel the unpaid lines of a cancelled exam; a paid one is noted, for somebody has to pay it back.

    Its order may have other exams, whose lines stay. A line of the order that has no exam goes with its only one.
    """
    with db.transaction():
        its_lines = Charge.exam == exam
        number = exam.placer_order_number
        if number and len(Exam.all_with(Exam.placer_order_number == number)) == 1:
            its_lines |= (Charge.placer_order_number == number) & Charge.exam.is_null()
        Charge.update(state="cancelled").where(its_lines, Charge.state == "unpaid").execute()
        for charge in Charge.select().where(its_lines, Charge.state == "paid"):
            text = f"fee line {charge.fee_line_id}: the order was cancelled after payment: pay the money back"
            problems.note("billing", f"cancelled:{charge.fee_line_id}", text)


def reopen_for_exam(exam: Exam) -> None:
    """The exam was ordered anew: what was cancelled with it is owed again."""
    for line in Charge.all_with(Charge.exam == exam, Charge.state == "cancelled"):
        line.state = "unpaid"
        line.save()


def waive_line(fee_line_id: str) -> Charge | None:
    """Ask nothing for a line, whether it was not paid yet or paid and given back; return it, None when it is not known.

    A paid line stays paid: somebody has to pay it back first. Both this and an unknown line are noted for a person.
    """
    with db.transaction():
        charge = told.lock_line(fee_line_id)
        if charge is None:
            _note_waived(fee_line_id, "the line is not known; when its order comes, compare what it says")
        elif charge.state == "paid":
            _note_waived(fee_line_id, "the line is paid: pay the money back")
        elif charge.choice == "charge":
            charge.choice = "waived"
            charge.save()
        return charge


def _note_waived(fee_line_id: str, text: str) -> None:
    problems.note("billing", f"waived:{fee_line_id}", f"fee line {fee_line_id} was waived, but {text}")


def _is_owed(charge: Charge) -> bool:
    return charge.state == "unpaid" and charge.choice == "charge" and charge.amount_fen > 0


def _create(line: FeeLine, exam: Exam) -> None:
    Charge.create(
        fee_line_id=line.fee_line_id,
        placer_order_number=line.placer_order_number,
        exam=exam,
        item_code=line.item_code,
        amount_fen=line.amount_fen,
        collect_on_behalf=line.collect_on_behalf,
        choice=line.choice,
        state="cancelled" if exam.cancelled_at else "unpaid",
    )


def _update(charge: Charge, line: FeeLine, exam: Exam) -> None:
    if charge.amount_fen != line.amount_fen:
        prices.compare(line, exam.ordered_at or now())
    charge.exam = exam
    charge.placer_order_number = line.placer_order_number or charge.placer_order_number
    charge.item_code = line.item_code
    charge.amount_fen = line.amount_fen
    charge.collect_on_behalf = line.collect_on_behalf
    charge.choice = line.choice
    charge.save()


def _settle_as_told(line: FeeLine) -> None:
    """The HIS says in the order itself that the line is paid. Said of a line that was paid it is no second payment.

    What contradicts an earlier message about the payment is for a person: the order itself is good.
    """
    if Charge.get(Charge.fee_line_id == line.fee_line_id).state in ("paid", "refunded"):
        return
    paid_fen = line.amount_fen if line.paid_fen is None else line.paid_fen
    if paid_fen <= 0:
        _note(line, f"its order says that it is paid, with {paid_fen} fen: it stays as it is")
        return
    payment = SettleFee(
        source=told.HIS_SOURCE,
        key=line.fee_line_id,
        fee_line_id=line.fee_line_id,
        amount_fen=paid_fen,
        paid_at=line.paid_at or now(),
        channel=line.channel or told.HIS_SOURCE,
        external_number=line.external_number,
    )
    try:
        settle.settle(payment)
    except Conflict:
        text = f"its order says that {paid_fen} fen were paid, another message before named another amount"
        problems.note("billing", f"told:{line.fee_line_id}", f"fee line {line.fee_line_id}: {text}")


def _note(line: FeeLine, text: str) -> None:
    problems.note("billing", f"line:{line.fee_line_id}", f"fee line {line.fee_line_id}: {text}")
