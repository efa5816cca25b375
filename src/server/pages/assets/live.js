// Shows what has changed since the page was loaded. Without it the page stays as it was.
"use strict";
(() => {
  const main = document.getElementById("main");
  const address = main && main.dataset.events;
  if (!address || !("EventSource" in window)) return;

  const line = document.createElement("p");
  line.id = "live";
  const text = document.createElement("span");
  const button = document.createElement("button");
  button.type = "button";
  // Numbers change all the time; who cannot see them is told when a verdict does.
  const said = document.createElement("span");
  said.className = "hidden";
  said.setAttribute("role", "status");
  line.append(text, button, said);
  main.querySelector("h1").after(line);

  let source = null;
  let paused = false;
  let verdicts = null;

  // Changes only what differs, so that the focus, the scrolling and a selection stay where they are.
  const patch = (from, to) => {
    if (from.nodeName !== to.nodeName) {
      from.replaceWith(to.cloneNode(true));
      return;
    }
    if (from.nodeType === Node.TEXT_NODE) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    if (from.nodeType === Node.ELEMENT_NODE) {
      for (const { name } of [...from.attributes]) {
        if (!to.hasAttribute(name)) from.removeAttribute(name);
      }
      for (const { name, value } of to.attributes) {
        if (from.getAttribute(name) !== value) from.setAttribute(name, value);
      }
    }
    patchChildren(from, to);
  };
  const patchChildren = (from, to) => {
    const [old, next] = [[...from.childNodes], [...to.childNodes]];
    old.slice(next.length).forEach((node) => node.remove());
    next.forEach((node, at) => (old[at] ? patch(old[at], node) : from.append(node.cloneNode(true))));
  };

  const show = (event) => {
    const told = JSON.parse(event.data);
    for (const [id, markup] of Object.entries(told.parts)) {
      const part = document.getElementById(id);
      if (!part) continue;
      // Made on the server, where all that comes from outside is escaped.
      const next = document.createElement("template");
      next.innerHTML = markup;
      patchChildren(part, next.content);
    }
    const now = told.verdicts.map((one) => one.experiment + ", " + one.config_id + ": " + one.verdict).join("; ");
    if (verdicts !== null && now !== verdicts) said.textContent = now;
    verdicts = now;
    text.textContent = "Live, as of " + new Date().toISOString().slice(11, 19) + " UTC";
  };
  const stop = () => {
    if (source) source.close();
    source = null;
  };
  const start = () => {
    if (source || paused || document.hidden) return;
    text.textContent = "Live";
    source = new EventSource(address);
    source.addEventListener("report", show);
    source.addEventListener("error", () => {
      text.textContent = "Not live: the server does not answer. What is shown may be old.";
    });
  };
  const label = () => {
    button.textContent = paused ? "Go on" : "Pause";
  };
  button.addEventListener("click", () => {
    paused = !paused;
    label();
    if (paused) {
      stop();
      text.textContent = "Paused";
    } else {
      start();
    }
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  label();
  start();
})();
