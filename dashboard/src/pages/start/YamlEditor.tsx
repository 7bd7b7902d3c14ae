// A text of YAML, with its mistakes marked at their lines. Loaded when one is opened.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { defaultHighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";

export interface Mark {
  line: number;
  message: string;
}

const LOOK = EditorView.theme({
  "&": {
    fontSize: "12.5px",
    backgroundColor: "var(--color-surface)",
    color: "var(--color-ink)",
    height: "100%",
  },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--color-ink)" },
  ".cm-cursor": { borderLeftColor: "var(--color-ink)" },
  ".cm-gutters": { backgroundColor: "var(--color-ground)", color: "var(--color-muted)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--color-raised)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--color-accent-soft) !important",
  },
  ".cm-tooltip": {
    backgroundColor: "var(--color-surface)",
    color: "var(--color-ink)",
    border: "1px solid var(--color-line)",
  },
  // Colours by their task, so that both themes can be read.
  ".cm-line span": { color: "inherit !important" },
  ".cm-line .ͼl, .cm-line .ͼm": { color: "var(--color-muted) !important" },
});

export default function YamlEditor({
  label,
  text,
  marks,
  onChange,
}: {
  label: string;
  text: string;
  marks: readonly Mark[];
  onChange: (text: string) => void;
}) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(onChange);
  latest.current = onChange;
  const first = useRef({ label, text });
  useEffect(() => {
    if (!place.current) return;
    const made = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: first.current.text,
        extensions: [
          lineNumbers(),
          history(),
          drawSelection(),
          highlightActiveLine(),
          keymap.of([...defaultKeymap, ...historyKeymap]), // Tab goes on to the next field, as everywhere
          yaml(),
          syntaxHighlighting(defaultHighlightStyle, { fallback: true }),
          lintGutter(),
          LOOK,
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": first.current.label, tabindex: "0" }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged && !update.transactions.some((one) => one.isUserEvent("form")))
              latest.current(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    return () => made.destroy();
  }, []);
  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === text) return;
    editor.dispatch({ changes: changed(editor.state.doc.toString(), text), userEvent: "form" });
  }, [text]);
  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const all: Diagnostic[] = marks.map((one) => {
      const line = editor.state.doc.line(Math.max(1, Math.min(one.line, editor.state.doc.lines)));
      return { from: line.from, to: line.to, severity: "error", message: one.message };
    });
    editor.dispatch(setDiagnostics(editor.state, all));
  }, [marks]);
  return <div ref={place} className="h-full min-h-64 overflow-auto" />;
}

/** Only what differs is replaced, so that cursor and scroll stay where they are. */
function changed(before: string, now: string) {
  let from = 0;
  const most = Math.min(before.length, now.length);
  while (from < most && before[from] === now[from]) from++;
  let end = 0;
  while (end < most - from && before[before.length - 1 - end] === now[now.length - 1 - end]) end++;
  return { from, to: before.length - end, insert: now.slice(from, now.length - end) };
}
