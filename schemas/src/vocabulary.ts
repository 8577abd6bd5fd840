/** The platform's closed word lists; Avro carries them as strings so that a new word is no breaking change. */
export const INSPECTION_TYPES = ['visual', 'electrical', 'thermal', 'mechanical', 'dimensional'] as const;
export type InspectionType = (typeof INSPECTION_TYPES)[number];

export const INSPECTION_STATUSES = ['pending', 'in_progress', 'completed', 'failed'] as const;
export type InspectionStatus = (typeof INSPECTION_STATUSES)[number];

export const INFERENCE_PRIORITIES = ['low', 'normal', 'high'] as const;
export type InferencePriority = (typeof INFERENCE_PRIORITIES)[number];

/** Largest batch that a client may allow, and what it allows when it says nothing: batches then form as the platform likes. */
export const INFERENCE_BATCH_SIZE_MAX = 32;

export const DEFECT_TYPES = ['scratch', 'void', 'contamination', 'misalignment', 'short', 'open'] as const;
export type DefectType = (typeof DEFECT_TYPES)[number];

export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const OPERATIONS = [
  'part.create',
  'part.confirm_golden',
  'lot.create',
  'inspection.create',
  'inspection.confirm_artifact',
  'inspection.infer',
  'model.deploy',
  'model.rollback',
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** How a version on trial takes part: it judges a share of the boards, or only sees them too. */
export const CANDIDATE_MODES = ['shadow', 'split'] as const;
export type CandidateMode = (typeof CANDIDATE_MODES)[number];

/** Band of an integer priority: 1-3 low, 4-6 normal, 7-8 high, 9-10 critical. */
export function priorityBand(priority: number): 'low' | 'normal' | 'high' | 'critical' {
  if (priority <= 3) return 'low';
  if (priority <= 6) return 'normal';
  return priority <= 8 ? 'high' : 'critical';
}
