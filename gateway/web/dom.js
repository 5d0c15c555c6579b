// Elements without markup: every text goes in as text.

/** Make an element; `with_` may have class, text, title, on (events), data, and attributes. */
export function make(tag, with_ = {}, ...children) {
  const { class: name, text, on, data, ...attributes } = with_;
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  for (const [event, handler] of Object.entries(on ?? {})) made.addEventListener(event, handler);
  Object.assign(made.dataset, data ?? {});
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const byId = (id) => document.getElementById(id);

/** Set a text only where it differs, so that selections and clicks survive. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Put items into rows kept by key: a row that stays is never replaced under a click. */
export function rows(body, items, keyOf, create, update) {
  const known = (body.keyed ??= new Map());
  const fresh = new Map();
  let at = body.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const row = known.get(key) ?? create(item);
    known.delete(key);
    fresh.set(key, row);
    update(row, item);
    if (row === at) at = at.nextElementSibling;
    else body.insertBefore(row, at);
  }
  for (const gone of known.values()) gone.remove();
  body.keyed = fresh;
}

/** Make a table with a head; returns it with its body as `table.rows_`. */
export function table(heads, name = "list") {
  const head = make(
    "tr",
    {},
    ...heads.map((each) => make("th", typeof each === "string" ? { text: each } : each)),
  );
  const made = make("table", { class: name }, make("thead", {}, head));
  made.rows_ = made.appendChild(make("tbody"));
  return made;
}

/** Make a row of empty cells, kept as `row.cells_`. */
export function cells(count, names = []) {
  const row = make("tr");
  row.cells_ = Array.from({ length: count }, (_, at) =>
    row.appendChild(make("td", { class: names[at] ?? "" })),
  );
  return row;
}

export function fill(row, texts) {
  texts.forEach((text, at) => {
    if (text !== null) say(row.cells_[at], text);
  });
}

/** Topics and who wants to hear of them. */
export class Signal {
  #listeners = new Map();

  on(topic, listener) {
    const known = this.#listeners.get(topic) ?? [];
    this.#listeners.set(topic, [...known, listener]);
    return this;
  }

  emit(topic, value) {
    for (const listener of this.#listeners.get(topic) ?? []) listener(value);
  }
}

/** Return a function that runs `draw` once before the next frame, however often it is called. */
export function once(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

/** Return a function that runs `work` at most every `pauseMs`, the last call counting. */
export function calmly(work, pauseMs) {
  let timer = 0;
  return () => {
    if (!timer) {
      timer = setTimeout(() => {
        timer = 0;
        work();
      }, pauseMs);
    }
  };
}
