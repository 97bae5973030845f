"use strict";

// A browser opens six connections to one server: four for videos leave one for the state and one
// for all else. Doors beyond that show single pictures.
const MOST_VIDEOS = 4;
const SILENT_MILLISECONDS = 3000;

const WORDS = { locked: "Locked", unlocked: "Unlocked", denied: "Denied" };

const cards = new Map();
let states = null;
let newestChange = null;
let heardAt = Date.now();

function copyOf(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

function say(element, text) {
  // An unchanged text is left alone, or screen readers would say it again and again.
  if (element.textContent !== text) element.textContent = text;
}

function cardOf(name) {
  if (!cards.has(name)) {
    const card = copyOf("door");
    card.querySelector("h2").textContent = name;
    card.querySelector("img").alt = `What the camera of ${name} sees`;
    document.getElementById("doors").append(card);
    cards.set(name, card);
  }
  return cards.get(name);
}

function showDoor(door, index) {
  const card = cardOf(door.name);
  const places = document.getElementById("doors").children;
  // Only a card that is elsewhere: what moves loses the focus.
  if (places[index] !== card) places[index].before(card);
  const part = (selector) => card.querySelector(selector);
  card.dataset.door = door.ready ? door.door : "unknown";
  card.classList.toggle("stale", !door.ready);
  say(part(".word"), door.ready ? WORDS[door.door] : "Not known");
  say(part(".reason"), door.reason ?? "no picture yet");
  const held = door.hold_seconds ? door.held_seconds / door.hold_seconds : 0;
  part("progress").value = door.door === "unlocked" ? 1 : Math.min(held, 1);
  const age = door.frame_age_seconds;
  say(part(".camera"), door.ready ? "works" : `nothing new for ${age.toFixed(0)} s`);
  say(part(".speed"), door.number ? `${door.frames_per_second.toFixed(0)} fps` : "");
  say(part(".faces"), door.number ? String(door.faces) : "");
  const actuators = Object.entries(door.actuators).map(([name, state]) => `${name}: ${state}`);
  say(part(".actuators"), actuators.join(", "));
  offerOrder(card, door);
  showPicture(part(".view img"), door, index);
}

function showPicture(image, door, index) {
  if (document.hidden || !door.number) {
    // Nobody looks: the monitor need not draw and encode. Or the door began anew: what was seen of
    // it before is over.
    image.removeAttribute("src");
    return;
  }
  const began = `door=${encodeURIComponent(door.name)}&began=${door.started_at}`;
  const address = index < MOST_VIDEOS ? `video?${began}` : `picture?${began}&number=${door.number}`;
  const shown = image.getAttribute("src") ?? "";
  // A slow line would never bring a picture that gives way to the next one.
  const coming = shown.startsWith("picture") && !image.complete;
  if (shown !== address && !coming) image.src = address;
}

function dropAllBut(doors) {
  const names = new Set(doors.map((door) => door.name));
  for (const [name, card] of cards) {
    if (names.has(name)) continue;
    // Out of the page it would still be loaded.
    card.querySelector(".view img").removeAttribute("src");
    card.remove();
    cards.delete(name);
  }
}

async function showChanges() {
  const answer = await fetch("changes");
  if (!answer.ok) return;
  const changes = await answer.json();
  document.getElementById("nothing").hidden = changes.length > 0;
  document.querySelector("#changes ol").replaceChildren(...changes.map(changeItem));
}

function changeItem(change) {
  const item = copyOf("change");
  const address = `changes/${change.number}.jpg`;
  const at = new Date(change.at * 1000);
  if (change.pictured) {
    item.querySelector("a").href = address;
    item.querySelector("img").src = address;
    item.querySelector("img").alt = `The picture of ${change.door} at that time`;
    // Kept pictures have an end: what is gone is not announced by a broken one.
    item.querySelector("img").onerror = () => item.querySelector("a").remove();
  } else {
    item.querySelector("a").remove();
  }
  item.querySelector("strong").textContent = WORDS[change.what] ?? change.what;
  item.querySelector("strong").dataset.what = change.what;
  item.querySelector(".where").textContent = change.door;
  item.querySelector(".why").textContent = change.reason;
  item.querySelector("time").textContent = at.toLocaleString();
  item.querySelector("time").dateTime = at.toISOString();
  return item;
}

function showConnection() {
  const lost = Date.now() - heardAt > SILENT_MILLISECONDS;
  const connection = document.getElementById("connection");
  connection.classList.toggle("lost", lost);
  say(connection, lost ? "! No connection: what is shown is old" : "live");
  if (!lost) return;
  for (const card of cards.values()) {
    card.dataset.door = "unknown";
    card.classList.add("stale");
    say(card.querySelector(".word"), "Not known");
  }
  dropPictures();
}

function dropPictures() {
  for (const image of document.querySelectorAll(".view img")) image.removeAttribute("src");
}

function disconnect() {
  // All windows of a browser share the six connections. Where another one holds the others, that of
  // the state is the only one to be given to an order, which must not wait for one.
  states.close();
  dropPictures();
}

function connect() {
  states?.close();
  states = new EventSource("state");
  states.onmessage = (message) => {
    const state = JSON.parse(message.data);
    heardAt = Date.now();
    dropAllBut(state.doors);
    state.doors.forEach(showDoor);
    if (state.newest_change !== newestChange) {
      newestChange = state.newest_change;
      showChanges();
    }
    showConnection();
  };
  states.onerror = async () => {
    dropPictures();
    // The browser tries again by itself, unless the answer was no.
    if (states.readyState !== EventSource.CLOSED) return;
    const answer = await fetch("changes").catch(() => null);
    if (answer?.status === 401) location.reload();
    else setTimeout(connect, SILENT_MILLISECONDS);
  };
}

connect();
setInterval(showConnection, 1000);
