import { expect, test } from 'vitest';
import { sleeveFor } from '#lib/ui/sleeve.ts';

test('a track without a cover always gets the same sleeve, and others get others', () => {
  expect(sleeveFor('1night drive')).toEqual(sleeveFor('1night drive'));
  const grounds = new Set(Array.from({ length: 50 }, (_, id) => JSON.stringify(sleeveFor(`${id}`))));
  expect(grounds.size).toBe(50);
});
