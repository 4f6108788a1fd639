/** Holds the rooms of the viewer apart: a room imports itself and lower ones (ARCHITECTURE §2). Seeing no module is a failure. */

import { cruise } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

/** From the lowest room up; rooms of one row are strangers to each other. */
const ROWS = [
  ['faults'],
  ['math'],
  ['dicom'],
  ['decode', 'cache', 'transport'],
  ['frames'],
  ['volume'],
  ['render'],
  ['viewport'],
  ['tools'],
  ['session'],
  ['live', 'embed'],
  ['ui'],
  ['pages'],
];

const isIn = (rooms) => `^src/(${rooms.join('|')})(/|\\.ts)`;

const rules = ROWS.flatMap((row, at) =>
  row.map((room) => ({
    name: `${room}-looks-down`,
    severity: 'error',
    from: { path: isIn([room]) },
    to: { path: isIn(ROWS.slice(at).flat().filter((other) => other !== room)) },
  })),
);

const { output } = await cruise(
  ['src'],
  {
    validate: true,
    ruleSet: {
      forbidden: [
        ...rules,
        { name: 'no-circles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
        { name: 'in-a-room', severity: 'error', from: { path: '^src/', pathNot: [...ROWS.map(isIn), '^src/styles/'] }, to: {} },
        { name: 'found', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: ['[?]url$', '^@cornerstonejs/'] } },
      ],
    },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
  {},
  { tsConfig: extractTSConfig('tsconfig.json') },
);

const { violations, totalCruised } = output.summary;
for (const { rule, from, to } of violations) console.error(`${rule.name}: ${from} → ${to}`);
if (totalCruised < 50) console.error(`only ${totalCruised} modules were seen: the check itself is broken`);
if (violations.length > 0 || totalCruised < 50) process.exit(1);
console.log(`rooms: ${totalCruised} modules, each in its place`);
