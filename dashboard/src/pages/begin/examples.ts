// What the editor holds at first: short, ready to be begun as it stands, and in lines that a phone shows whole.

export const TOURNAMENT = `# Who does best in a trade war?
tournament: Three courses
scenario: economy/trade_war
turns: 12  # where a match ends

# The seats that are played for.
seats: [aldland, borland]

# Or swiss, single-elimination.
format: round-robin
seeds: 2  # draws of luck a meeting

# Rules, or NAME@VERSION.
entrants:
  - balanced
  - austerity
  - keynesian

# scoring:
#   metrics:
#     - {metric: welfare, of: mean}
# budget: 1  # dollars
`;

/** What an example's evolution plays; it begins with a strategy that is made for that. */
export const GROUND = { world: "economy", role: "government" } as const;

export const evolutionOf = (known: readonly string[]): string => `# Which numbers do better?
evolution: A better course
${known.length > 1 ? `# Or ${known.slice(1, 4).join(", ")}.` : "# NAME, or NAME@VERSION."}
start: ${known[0] ?? "NAME"}

scenario: economy/quick
seats: [aldland]
seeds: 2  # draws of luck each
scoring:
  metrics:
    - {metric: welfare, of: mean}

population: 4  # in each generation
generations: 2
elites: 1  # the best, kept
mutation: {step: 0.3}

# Luck that the search never sees.
held_out: {seeds: 9}
# budget: 1  # dollars
`;
