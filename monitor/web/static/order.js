"use strict";

// Orders by hand. Only a door that takes them gets a button, and nothing is sent before the dialog
// has said in words what is about to happen and was told to go on.

const orderDialog = document.getElementById("order");
const orderPart = (selector) => orderDialog.querySelector(selector);
// An order counts now or never: whoever was told nothing has gone on to something else.
const ANSWER_SECONDS = 3;
let orderWanted = null;
let orderSending = null;

function offerOrder(card, door) {
  const button = card.querySelector(".order");
  button.hidden = door.longest_order_seconds === null;
  button.onclick = () => askForOrder(door);
}

function askForOrder(door) {
  orderWanted = { door: door.name };
  orderPart("form").reset();
  orderPart("h2").textContent = door.name;
  const seconds = orderPart("[name=seconds]");
  seconds.max = door.longest_order_seconds;
  seconds.value = Math.min(10, door.longest_order_seconds);
  showOrderStep("ask", "");
  orderDialog.showModal();
}

function showOrderStep(step, said) {
  orderDialog.dataset.step = step;
  orderPart(".said").textContent = said;
}

function confirmOrder(event) {
  event.preventDefault();
  const given = Object.fromEntries(new FormData(event.target, event.submitter));
  orderWanted = { door: orderWanted.door, ...given };
  const { action, door, seconds, by } = orderWanted;
  orderPart(".what").textContent =
    action === "unlock"
      ? `Unlock ${door} for ${seconds} s, whatever the camera sees? ${by} takes responsibility.`
      : `Keep ${door} locked for ${seconds} s, whatever the camera sees? ${by} takes responsibility.`;
  orderPart(".confirm").textContent = action === "unlock" ? "Yes, unlock" : "Yes, lock";
  showOrderStep("confirm", "");
  // A second press of Enter must not be what confirms.
  orderPart(".back").focus();
}

async function sendOrder() {
  showOrderStep("sending", "");
  const sent = orderWanted;
  const sending = new AbortController();
  orderSending = sending;
  const limit = setTimeout(() => sending.abort(), ANSWER_SECONDS * 1000);
  disconnect();
  const said = await fetch("order", {
    method: "POST",
    body: new URLSearchParams(sent),
    signal: sending.signal,
  })
    .then((answer) => answer.text())
    .catch(() => "");
  clearTimeout(limit);
  connect();
  // Somebody may have closed the dialog meanwhile, and opened it for another door.
  if (orderWanted !== sent) return;
  const late = sending.signal.aborted ? ` within ${ANSWER_SECONDS} s, given up` : "";
  showOrderStep("done", said || `No answer${late}: look whether the door has changed.`);
}

orderPart("form").addEventListener("submit", confirmOrder);
orderPart(".confirm").addEventListener("click", sendOrder);
orderPart(".back").addEventListener("click", () => showOrderStep("ask", ""));
orderDialog.addEventListener("close", () => orderSending?.abort());
for (const button of orderDialog.querySelectorAll(".close")) {
  button.addEventListener("click", () => orderDialog.close());
}
