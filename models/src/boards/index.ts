export { type BoardDefect, DEFECT_LABELS, type DefectLabel } from './defect-placement.ts';
export { encodeJpeg } from './encode-jpeg.ts';
export { type BoardRequest, type GeneratedBoard, generateBoard } from './generate-board.ts';
