// Hover and the turn slider. The page is whole without it.
(() => {
  "use strict";
  const charts = JSON.parse(document.getElementById("data").textContent);
  const slider = document.querySelector(".slider");
  const range = slider && slider.querySelector("input");
  const say = (value) => {
    const size = Math.abs(value);
    if (size >= 1e6) return (value / 1e6).toPrecision(4) + " M";
    if (size >= 1000) return Math.round(value).toLocaleString("en");
    return String(+value.toPrecision(4));
  };
  const nearest = (turns, turn) => {
    let low = 0, high = turns.length - 1;
    while (high - low > 1) { const middle = (low + high) >> 1; if (turns[middle] <= turn) low = middle; else high = middle; }
    return turn - turns[low] <= turns[high] - turn ? low : high;
  };
  const views = [...document.querySelectorAll(".chart")].filter((chart) => charts[chart.id]).map((chart) => {
    const plot = chart.querySelector(".plot"), cursor = document.createElement("div"), tip = document.createElement("div");
    cursor.className = "cursor"; tip.className = "tip"; cursor.hidden = tip.hidden = true;
    plot.append(cursor, tip);
    const first = +chart.dataset.first, last = +chart.dataset.last;
    const show = (turn, withTip) => {
      const share = (Math.min(Math.max(turn, first), last) - first) / Math.max(last - first, 1);
      cursor.hidden = false; cursor.style.left = share * 100 + "%"; tip.hidden = !withTip;
      if (!withTip) return;
      tip.replaceChildren();
      const head = document.createElement("b"); head.textContent = "Turn " + turn; tip.append(head);
      for (const [label, turns, values] of charts[chart.id]) {
        const line = document.createElement("div");
        line.textContent = label + ": " + say(values[nearest(turns, turn)]); tip.append(line);
      }
      tip.style.left = share < 0.5 ? share * 100 + 2 + "%" : ""; tip.style.right = share < 0.5 ? "" : (1 - share) * 100 + 2 + "%";
    };
    return { plot, first, last, show, hide: () => { cursor.hidden = tip.hidden = true; } };
  });
  const all = (turn, over) => {
    for (const view of views) view.show(turn, view === over);
    if (range) { range.value = turn; slider.querySelector("output").textContent = "turn " + turn; }
  };
  for (const view of views) {
    view.plot.addEventListener("pointermove", (event) => {
      const box = view.plot.getBoundingClientRect(), share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
      all(Math.round(view.first + share * (view.last - view.first)), view);
    });
    view.plot.addEventListener("pointerleave", () => views.forEach((one) => one.hide()));
  }
  if (!range) return;
  slider.hidden = false;
  const turns = [...document.querySelectorAll("details[data-turn]")];
  const numbers = turns.map((one) => +one.dataset.turn);
  let opened = null;
  range.addEventListener("input", () => {
    const turn = +range.value;
    for (const view of views) view.show(turn, true);
    slider.querySelector("output").textContent = "turn " + turn;
    const found = numbers.length ? turns[nearest(numbers, turn)] : null;
    if (opened && opened !== found) opened.open = false;
    if (found) { found.open = true; opened = found; found.parentElement.scrollTop = found.offsetTop - 8; }
  });
})();
