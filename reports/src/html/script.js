"use strict";
// Three small things: copy a command, walk through a timeline by keyboard, step through the run.

for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      // A page from a file may not use the clipboard: select the text and try the old way.
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}

for (const picture of document.querySelectorAll("svg.timeline")) {
  const told = picture.closest("figure").nextElementSibling;
  const hint = told.textContent;
  const items = [...picture.querySelectorAll(".item")];
  items.sort((a, b) => Number(a.dataset.at) - Number(b.dataset.at));
  let current = -1;
  const show = (item) => {
    picture.querySelector(".on")?.classList.remove("on");
    item?.classList.add("on");
    told.textContent = item ? item.querySelector("title").textContent : hint;
  };
  const step = (to) => {
    current = Math.max(0, Math.min(items.length - 1, to));
    show(items[current]);
  };
  picture.addEventListener("mouseover", (event) => {
    const item = event.target.closest(".item");
    if (item) { current = items.indexOf(item); show(item); }
  });
  picture.addEventListener("keydown", (event) => {
    const moves = {
      ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: items.length - 1,
      PageDown: current + 20, PageUp: current - 20,
    };
    if (event.key === "Escape") { current = -1; show(null); }
    if (!(event.key in moves) || items.length === 0) return;
    event.preventDefault();
    step(moves[event.key]);
  });
}

const source = document.getElementById("run-data");
if (source) player(JSON.parse(source.textContent), document.querySelector(".player"));

function player(run, root) {
  const SVG = "http://www.w3.org/2000/svg";
  const slider = root.querySelector("input");
  const graph = root.querySelector(".graph");
  const body = root.querySelector("tbody");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const first = run.start;
  let playing = null;
  root.hidden = false;

  // Nodes stand on an outer ring, clients on an inner one.
  const clients = new Set(run.ops.map((op) => op[1]));
  const isClient = (n) => clients.has(n) && !run.strips.some((span) => span[0] === n);
  const rings = [[], []];
  const ring = run.nodes.map((_, n) => isClient(n));
  ring.forEach((inner, n) => rings[inner ? 1 : 0].push(n));
  if (rings[0].length === 0) rings.reverse();
  // Circles of one ring do not overlap.
  const sizes = rings.map((members, inner) => Math.max(1.5, (inner ? 200 : 430) / members.length));
  const places = [];
  rings.forEach((members, inner) => members.forEach((n, k) => {
    const turn = (k + (inner ? 0.5 : 0)) / members.length * 2 * Math.PI - Math.PI / 2;
    const [rx, ry] = inner ? [78, 58] : [165, 125];
    places[n] = [220 + rx * Math.cos(turn), 165 + ry * Math.sin(turn)];
  }));

  function add(parent, name, attributes, text) {
    const element = document.createElementNS(SVG, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  }

  function say(parent, name, text, className) {
    const element = document.createElement(name);
    element.textContent = text;
    if (className) element.className = className;
    parent.append(element);
    return element;
  }

  // The states of each node, in order of time.
  const spans = run.nodes.map(() => []);
  for (const span of run.strips) spans[span[0]].push(span);
  const stateAt = (n, at) => spans[n].find((s) => s[1] <= at && at < s[2]);
  const opsAt = (at) => run.ops.filter((op) => op[4] <= at && at <= op[5]);

  function drawGraph(at) {
    graph.replaceChildren();
    const few = rings[0].length <= 24;
    for (const a of rings[0]) {
      for (const b of rings[0]) {
        if (few && a < b) {
          add(graph, "line", { class: "link", x1: places[a][0], y1: places[a][1], x2: places[b][0], y2: places[b][1] });
        }
      }
    }
    for (const [from, to, label, fate, sent, arrived] of run.flights) {
      const lost = arrived < 0;
      // What is lost is shown for a moment, half-way.
      const end = lost ? sent + 20000 : arrived;
      if (at < sent || at > end) continue;
      const [[x1, y1], [x2, y2]] = [places[from], places[to]];
      const part = lost ? 0.5 : (at - sent) / Math.max(1, end - sent);
      const [x, y] = [x1 + (x2 - x1) * part, y1 + (y2 - y1) * part];
      const group = add(graph, "g", {});
      add(group, "title", {}, fate ? `${label}: ${fate}` : label);
      add(group, "line", { class: "flight", x1, y1, x2, y2 });
      if (lost) add(group, "text", { class: "lost", x, y: y + 5 }, "×");
      else add(group, "circle", { class: "packet", cx: x, cy: y, r: 5 });
      add(group, "text", { x, y: y - 9 }, label);
    }
    run.nodes.forEach(([name], n) => {
      const state = stateAt(n, at);
      const [x, y] = places[n];
      const kind = ring[n] ? "client" : state ? state[3] : "s-down";
      const group = add(graph, "g", {});
      add(group, "title", {}, state ? state[4] : "");
      add(group, "circle", { class: `node ${kind}`, cx: x, cy: y, r: ring[n] ? Math.min(9, sizes[1]) : Math.min(15, sizes[0]) });
      if (run.nodes.length <= 40) add(group, "text", { x, y: y + (ring[n] ? 24 : 30) }, name);
    });
  }

  function drawStates(at) {
    body.replaceChildren();
    const ops = opsAt(at);
    run.nodes.forEach(([name], n) => {
      const busy = ops.filter((op) => op[1] === n).map((op) => `${op[2]} (operation ${op[0]})`);
      const state = stateAt(n, at);
      const row = document.createElement("tr");
      say(row, "td", name);
      say(row, "td", ring[n] ? busy.join(", ") || "idle" : state ? state[4] : "unknown");
      body.append(row);
    });
    const underway = root.querySelector(".underway");
    underway.replaceChildren();
    const on = run.faults.filter((f) => f[2] <= at && at < f[3]);
    say(underway, "p", on.length ? "Faults on: " + on.map((f) => f[1] ? `${f[0]}: ${f[1]}` : f[0]).join("; ") : "No fault is on.", "faint");
  }

  function drawCursors(at) {
    for (const picture of document.querySelectorAll("svg.timeline")) {
      picture.querySelector(".cursor")?.remove();
      const [from, to] = [Number(picture.dataset.from) / 1000, Number(picture.dataset.to) / 1000];
      if (at < from || at > to) continue;
      const [left, right] = [Number(picture.dataset.left), Number(picture.dataset.right)];
      const x = left + (right - left) * (at - from) / (to - from);
      add(picture, "line", { class: "cursor", x1: x, x2: x, y1: 18, y2: picture.dataset.bottom });
    }
  }

  function show() {
    const step = Number(slider.value);
    const [at, text] = run.times[step];
    root.querySelector(".now").textContent = `${text}  (event ${step + 1} of ${run.times.length})`;
    slider.setAttribute("aria-valuetext", text);
    drawGraph(at);
    drawStates(at);
    drawCursors(at);
    const changed = root.querySelector(".changed");
    changed.replaceChildren();
    const lines = run.lines.filter((line) => line[0] === at);
    for (const [, tone, line] of lines.slice(0, 8)) say(changed, "p", line, tone);
    if (lines.length > 8) say(changed, "p", `… and ${lines.length - 8} more`, "faint");
  }

  const go = (step) => { slider.value = step; show(); };
  const stop = () => {
    clearInterval(playing);
    playing = null;
    root.querySelector("[data-do=play]").textContent = "Play";
  };
  const actions = {
    back: () => { stop(); go(Number(slider.value) - 1); },
    next: () => { stop(); go(Number(slider.value) + 1); },
    violation: () => { stop(); go(first); },
    play: () => {
      if (playing) { stop(); return; }
      root.querySelector("[data-do=play]").textContent = "Pause";
      if (Number(slider.value) >= run.times.length - 1) slider.value = 0;
      playing = setInterval(() => {
        go(Number(slider.value) + 1);
        if (Number(slider.value) >= run.times.length - 1) stop();
      }, still ? 1500 : 400);
    },
  };
  for (const button of root.querySelectorAll("button")) {
    button.addEventListener("click", actions[button.dataset.do]);
  }
  slider.addEventListener("input", () => { stop(); show(); });

  // A click into a timeline goes to the nearest event.
  for (const picture of document.querySelectorAll("svg.timeline")) {
    picture.addEventListener("click", (event) => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
      const [left, right] = [Number(picture.dataset.left), Number(picture.dataset.right)];
      if (point.x < left || point.x > right) return;
      const [from, to] = [Number(picture.dataset.from) / 1000, Number(picture.dataset.to) / 1000];
      const at = from + (to - from) * (point.x - left) / (right - left);
      let best = 0;
      run.times.forEach(([time], step) => {
        if (Math.abs(time - at) < Math.abs(run.times[best][0] - at)) best = step;
      });
      stop();
      go(best);
    });
  }
  show();
}
