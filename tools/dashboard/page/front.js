// The Pareto front of points { x: cost, y: quality }: those that no other is both cheaper and better than, by rising cost.
export function front(points) {
  const result = [];
  for (const point of [...points].sort((a, b) => a.x - b.x || b.y - a.y))
    if (!result.length || point.y > result.at(-1).y) result.push(point);
  return result;
}
