/** The panels over the toolbar: windows, layouts, three dimensions, everything else. */

import { presetsOf } from '../dicom/presets';
import { FASTEST, SLOWEST } from '../session/cine';
import { BLENDS, type Layout } from '../session/content';
import type { FilmSession } from '../session/film_session';
import { PLANE_NAMES } from '../session/three_d';
import { VIEW_TOOLS } from '../tools/registry';
import { flipped, rotated } from '../viewport/view';
import { Icon } from './icon';
import { ICONS } from './icons';
import { panels } from './panel_registry';
import { Sheet, ToolButton } from './sheet';
import { WORDS } from './words';

interface PanelProps {
  session: FilmSession;
  close: () => void;
}

export function PresetsPanel({ session, close }: PanelProps) {
  const cell = session.active.value;
  const picture = cell.picture.value;
  if (!picture) return null;
  const choose = (act: () => void) => () => {
    act();
    close();
  };
  return (
    <Sheet id="presets">
      {presetsOf(picture.series.modality, picture.frame).map((preset) => (
        <button
          type="button"
          key={`${preset.label}/${preset.center}/${preset.width}`}
          onClick={choose(() => session.setVoi(cell, { center: preset.center, width: preset.width }))}
        >
          {preset.label}
        </button>
      ))}
      <button type="button" data-action="auto-window" onClick={choose(() => session.fitVoi(cell, 'tissue'))}>
        自动
      </button>
      <button type="button" data-action="full-range" onClick={choose(() => session.fitVoi(cell, 'all'))}>
        {WORDS.fullRange}
      </button>
    </Sheet>
  );
}

const LAYOUTS: readonly (readonly [number, number])[] = [
  [1, 1],
  [1, 2],
  [2, 1],
  [2, 2],
  [2, 3],
  [3, 3],
  [3, 4],
  [4, 4],
];

export function LayoutPanel({ session, close }: PanelProps) {
  const now = session.layout.value;
  const choose = (layout: Layout) => () => {
    session.setLayout(layout);
    close();
  };
  return (
    <Sheet id="layout">
      {(['stack', 'sheet'] as const).map((mode) => (
        <div class="row" key={mode}>
          <span>{mode === 'stack' ? WORDS.stack : WORDS.sheet}</span>
          {LAYOUTS.map(([rows, columns]) => (
            <button
              type="button"
              key={`${rows}×${columns}`}
              data-layout={`${mode}-${rows}x${columns}`}
              aria-pressed={now.mode === mode && now.rows === rows && now.columns === columns}
              onClick={choose({ rows, columns, mode })}
            >
              {rows}×{columns}
            </button>
          ))}
        </div>
      ))}
    </Sheet>
  );
}

const SLABS_MM = [0, 5, 10, 20, 40];

export function ThreeDPanel({ session, close }: PanelProps) {
  const content = session.active.value.content.value;
  const series = content.kind === 'empty' ? 0 : content.series;
  const isCut = content.kind === 'mpr';
  const { threeD } = session;
  return (
    <Sheet id="threeD">
      <div class="row">
        <button type="button" data-action="mpr" onClick={() => void threeD.openMpr(series).then(close)}>
          MPR
        </button>
        <button type="button" data-action="volume" onClick={() => void threeD.openVolume(series).then(close)}>
          容积重建
        </button>
        <button
          type="button"
          data-action="close-3d"
          disabled={content.kind === 'stack'}
          onClick={() => {
            threeD.close();
            close();
          }}
        >
          返回原始序列
        </button>
      </div>
      {(isCut || content.kind === 'volume') && (
        <div class="row">
          <span>立体标注</span>
          {threeD.tools.value.map((tool) => (
            <ToolButton key={tool.id} session={session} tool={tool} />
          ))}
        </div>
      )}
      {isCut && (
        <>
          <div class="row">
            <span>层厚</span>
            {SLABS_MM.map((mm) => (
              <button
                type="button"
                key={mm}
                data-slab={mm}
                aria-pressed={content.cut.slab_mm === mm}
                onClick={() => threeD.setSlab(mm, content.cut.blend)}
              >
                {mm === 0 ? '单层' : `${mm} mm`}
              </button>
            ))}
          </div>
          <div class="row">
            <span>投影</span>
            {BLENDS.map((blend) => (
              <button
                type="button"
                key={blend}
                data-blend={blend}
                aria-pressed={content.cut.blend === blend}
                onClick={() => threeD.setSlab(content.cut.slab_mm || 20, blend)}
              >
                {WORDS.blends[blend]}
              </button>
            ))}
          </div>
          <div class="row">
            <span>斜切</span>
            {(
              [
                ['tilt-up', '上倾', -5, 0],
                ['tilt-down', '下倾', 5, 0],
                ['tilt-left', '左转', 0, -5],
                ['tilt-right', '右转', 0, 5],
              ] as const
            ).map(([id, label, aroundRight, aroundDown]) => (
              <button
                type="button"
                key={id}
                data-action={id}
                onClick={() => threeD.tilt(session.active.peek(), aroundRight, aroundDown)}
              >
                {label} 5°
              </button>
            ))}
          </div>
          <div class="row">
            <span>平面</span>
            {PLANE_NAMES.map((name) => (
              <button
                type="button"
                key={name}
                data-plane={name}
                onClick={() => threeD.straighten(session.active.peek(), name)}
              >
                {{ axial: '横断面', coronal: '冠状面', sagittal: '矢状面' }[name]}
              </button>
            ))}
          </div>
        </>
      )}
    </Sheet>
  );
}

export function MorePanel({ session, open }: { session: FilmSession; open: (panel: string | null) => void }) {
  const cell = session.active.value;
  const act = (id: string, label: string, icon: string, run: () => void, pressed?: boolean) => (
    <button type="button" key={id} data-action={id} aria-pressed={pressed} onClick={run}>
      <Icon path={icon} />
      {label}
    </button>
  );
  const view = cell.view.value;
  return (
    <Sheet id="more">
      {VIEW_TOOLS.slice(4).map((tool) => (
        <ToolButton key={tool.id} session={session} tool={tool} />
      ))}
      {act('rotate-left', '左转90°', ICONS.rotateLeft, () => session.setView(cell, rotated(view, -90)))}
      {act('rotate-right', '右转90°', ICONS.rotateRight, () => session.setView(cell, rotated(view, 90)))}
      {act('flip-across', '左右翻转', ICONS.flipAcross, () =>
        session.setView(cell, flipped(view, 'horizontal')),
      )}
      {act('flip-down', '上下翻转', ICONS.flipDown, () => session.setView(cell, flipped(view, 'vertical')))}
      {act(
        'invert',
        '反色',
        ICONS.invert,
        () => session.setInverted(cell, !cell.isInverted.peek()),
        cell.isInverted.value,
      )}
      {act('native-size', '1:1', ICONS.native, () => cell.showNativeSize())}
      {act('fit', '适合窗口', ICONS.fit, () =>
        session.setView(cell, { ...view, zoom: 1, centre: { x: 0.5, y: 0.5 } }),
      )}
      {act('cine', WORDS.play, ICONS.play, () => {
        session.cine.start();
        open(null);
      })}
      {act('lines', '参考线', ICONS.lines, () => toggle(session.showsLines), session.showsLines.value)}
      {act('link', '联动翻页', ICONS.link, () => toggle(session.linked.isOn), session.linked.isOn.value)}
      {act('text', '文字信息', ICONS.text, () => toggle(session.showsText), session.showsText.value)}
      {session.manifest.presentations.length > 0 &&
        act(
          'presentations',
          '显示状态',
          ICONS.presets,
          () => session.setPresentations(!session.showsPresentations.peek()),
          session.showsPresentations.value,
        )}
      {session.manifest.key_images.length > 0 &&
        act('key-image', '关键图像', ICONS.key, () => session.nextKeyImage())}
      {act(
        'saving',
        '省流量',
        ICONS.saving,
        () => session.setSaving(!session.isSaving.peek()),
        session.isSaving.value,
      )}
      {act('history', WORDS.history, ICONS.history, () => open('history'))}
      {panels.value.map((panel) => act(panel.id, panel.label, panel.icon, () => open(panel.id)))}
    </Sheet>
  );
}

function toggle(flag: { value: boolean }): void {
  flag.value = !flag.value;
}

/** Play, pace and stop, in sight as long as a stack plays. */
export function CinePanel({ session }: { session: FilmSession }) {
  const { cine } = session;
  return (
    <div class="panel cine" data-panel="cine">
      <button type="button" data-action="cine-stop" onClick={() => cine.stop()}>
        <Icon path={ICONS.pause} />
        {WORDS.pause}
      </button>
      <label>
        {cine.rate.value} 幅/秒
        <input
          type="range"
          min={SLOWEST}
          max={FASTEST}
          value={cine.rate.value}
          onInput={(event) => cine.setRate(event.currentTarget.valueAsNumber)}
        />
      </label>
    </div>
  );
}

export function HistoryPanel({ session, close }: PanelProps) {
  const { comparison, manifest } = session;
  return (
    <Sheet id="history">
      {manifest.history.length === 0 && <p>{WORDS.noHistory}</p>}
      {manifest.history.map(({ exam_id, title, exam_at, modality }) => (
        <button
          type="button"
          key={exam_id}
          data-exam={exam_id}
          disabled={comparison.isBusy.value}
          onClick={() => void comparison.open(exam_id).then(() => !comparison.fault.peek() && close())}
        >
          {exam_at.slice(0, 10)} <bdi>{title}</bdi> {modality}
        </button>
      ))}
      {comparison.fault.value && <p role="alert">历史检查没有打开，请重试。</p>}
    </Sheet>
  );
}
