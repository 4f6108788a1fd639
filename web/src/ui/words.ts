/** Every word that the viewer says. */

import type { FaultKind, FilmFault } from '../faults';

export const WORDS = {
  loading: '正在打开影像…',
  empty: '本次检查没有可以显示的图像',
  retry: '重试',
  reset: '复位',
  presets: '窗值',
  fullRange: '全范围',
  documents: '文档',
  series: '序列',
  seriesList: '序列列表',
  tools: '工具',
  colour: '彩色',
  cell: '格',
  cancel: '取消',
  confirm: '确定',
  prior: '历史',
  lossy: '有损压缩',
  receivedLossy: '原始图像为有损压缩',
  coarse: '快速预览，正在变清晰',
  measure: '测量',
  layout: '布局',
  threeD: '三维',
  more: '更多',
  sheet: '胶片排版',
  stack: '序列堆叠',
  play: '播放',
  pause: '暂停',
  history: '历史对比',
  noHistory: '没有可以对比的历史检查',
  live: '共同浏览',
  guest: '访客',
  liveTrouble: '共同浏览没有打开，请检查网络后重试。',
  marks: '标注列表',
  blends: { mean: '平均', max: 'MIP', min: 'MinIP' },
  unreadableFilm: '影像清单无法读取，请刷新页面；仍不行请联系医院。',
} as const;

/** What happened and what the reader can do, by kind of fault. */
export const FAULT_WORDS: Record<FaultKind, string> = {
  network: '网络不稳定，这幅图像没有取到。',
  denied: '打开的期限已过或权限已收回，请刷新页面重新进入。',
  broken: '图像数据校验未通过，为安全起见不予显示。',
  damaged: '图像数据不完整，无法显示。',
  unsupported: '这种图像格式暂不支持在线浏览，可申请下载原始 DICOM。',
  aborted: '',
};

/** Faults that another try may mend. */
export const IS_WORTH_RETRYING: ReadonlySet<FaultKind> = new Set(['network', 'broken']);

/** Why a series is no volume, by the reason that comes with the fault. */
const REFUSALS: Record<string, string> = {
  no_place: '这个序列没有空间位置信息，不能做三维重建。',
  colour: '彩色图像不能做三维重建。',
  too_few: '同方向的层数太少，不能做三维重建。',
  uneven: '层间有缺失或间距过大，不能做三维重建。',
  duplicates: '同一位置有多幅图像，无法区分，不能做三维重建。',
  scattered: '各层不在一条直线上，不能做三维重建。',
  too_large: '这个序列太大，此设备内存不足，请在电脑上做三维重建。',
};

/** The words of a refusal to make a volume; `null` for other faults. */
export function refusalWords(fault: FilmFault): string | null {
  return REFUSALS[(fault as { reason?: string }).reason ?? ''] ?? null;
}
