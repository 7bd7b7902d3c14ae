import { describe, expect, it } from "vitest";
import { meant, readSettings } from "./settings";

describe("changes", () => {
  it("are read as what they mean", () => {
    expect(readSettings('tax_rate = 0.3\n\nopen=true\nname=a=b\nshock={"size": 1}')).toEqual({
      set: { tax_rate: 0.3, open: true, name: "a=b", shock: { size: 1 } },
    });
    expect(meant("1e3")).toBe(1000);
    expect(meant("steady")).toBe("steady");
  });
  it("name the line that is none", () => {
    expect(readSettings("a=1\ntax_rate 0.3")).toEqual({ wrong: "tax_rate 0.3" });
    expect(readSettings("=3")).toEqual({ wrong: "=3" });
  });
});
