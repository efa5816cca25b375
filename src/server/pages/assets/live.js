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
  line.append(text, button);
  main.querySelector("h1").after(line);

  let source = null;
  let paused = false;

  const show = (event) => {
    const { parts } = JSON.parse(event.data);
    for (const [id, markup] of Object.entries(parts)) {
      const part = document.getElementById(id);
      if (!part) continue;
      // Made on the server, where all that comes from outside is escaped; compared as the browser writes it.
      const next = document.createElement("template");
      next.innerHTML = markup;
      if (next.innerHTML !== part.innerHTML) part.replaceChildren(next.content);
    }
    text.textContent = "Live, as of " + new Date().toLocaleTimeString();
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
