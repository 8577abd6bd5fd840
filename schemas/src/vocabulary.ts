/** How a board may be inspected. It is part of an inspection's identity and treated alike otherwise. */
export const INSPECTION_TYPES = ['visual', 'electrical', 'thermal', 'mechanical', 'dimensional'] as const;
/** One of {@link INSPECTION_TYPES}. */
export type InspectionType = (typeof INSPECTION_TYPES)[number];

/**
 * How far an inspection is: `pending`, no inference was asked for; `in_progress`, one is under way; `completed`, it has
 * a verdict; `failed`, its last inference ended without one.
 */
export const INSPECTION_STATUSES = ['pending', 'in_progress', 'completed', 'failed'] as const;
/** One of {@link INSPECTION_STATUSES}. */
export type InspectionStatus = (typeof INSPECTION_STATUSES)[number];

/** Lanes of inferences. Higher ones go first, and none can starve another. */
export const INFERENCE_PRIORITIES = ['low', 'normal', 'high'] as const;
/** One of {@link INFERENCE_PRIORITIES}. */
export type InferencePriority = (typeof INFERENCE_PRIORITIES)[number];

/** Model that judges where a client names none. */
export const DEFAULT_MODEL_NAME = 'pcb_defect_detector';

/** Largest batch that a client may allow, and what it allows when it says nothing: batches then form as the platform likes. */
export const INFERENCE_BATCH_SIZE_MAX = 32;

/** What the platform calls defects, whatever labels a model has. */
export const DEFECT_TYPES = ['scratch', 'void', 'contamination', 'misalignment', 'short', 'open'] as const;
/** One of {@link DEFECT_TYPES}. */
export type DefectType = (typeof DEFECT_TYPES)[number];

/** How bad a defect is, from the least to the worst. */
export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
/** One of {@link SEVERITIES}. */
export type Severity = (typeof SEVERITIES)[number];

/** What a client can ask an actor for; each is a command. */
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
/** One of {@link OPERATIONS}. */
export type Operation = (typeof OPERATIONS)[number];

/** How a version on trial takes part: it judges a share of the boards, or only sees them too. */
export const CANDIDATE_MODES = ['shadow', 'split'] as const;
/** One of {@link CANDIDATE_MODES}. */
export type CandidateMode = (typeof CANDIDATE_MODES)[number];

/** Band of an integer priority: 1-3 low, 4-6 normal, 7-8 high, 9-10 critical. */
export function priorityBand(priority: number): 'low' | 'normal' | 'high' | 'critical' {
  if (priority <= 3) return 'low';
  if (priority <= 6) return 'normal';
  return priority <= 8 ? 'high' : 'critical';
}
