/** Every word that the viewer says. */

import type { FaultKind } from '../faults';

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
